#include "proxy/http2/origin_end.hpp"

#include <algorithm>
#include <utility>

#include "core/field_copy.hpp"
#include "core/http1/websocket_handshake.hpp"
#include "core/limits.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

Http2OriginEnd::Http2OriginEnd(Worker& worker)
    : worker_(worker),
      source_(worker.loop()),
      out_(worker.loop()),
      gate_(worker.loop()),
      settling_(worker.loop()) {}

void Http2OriginEnd::begin(Exchange& x, SharedSeat seat) noexcept {
    x_ = &x;
    seat_ = std::move(seat);
    heard_before_ = seat_->heard();
    source_.start(*this, *this,
                  {.stall = x.grpc ? no_limit : x.route->upstream_body,  // PINGs tell (decision 21)
                   .until = x.until,
                   .stalled = ErrorKind::upstream_stalled,
                   .all_that_came = true});
    out_.start(x.route->upstream_body, ErrorKind::upstream_stalled);
    out_.bound(x.route->upstream_body, x.until);
}

void Http2OriginEnd::reset() noexcept {
    x_ = nullptr;
    interims_.clear();
    source_.reset();
    out_.reset();
    gate_.reset();
    settling_.gate.reset();
    settling_.failure.reset();
    expected_ = never;
    late_ = ErrorKind::upstream_timeout;
    failure_.reset();
    called_off_ = head_here_ = unheard_ = spent_ = tunnel_ = false;
    untouched_ = true;
}

// ---- the request

Task<Result<void>> Http2OriginEnd::send(std::string_view host, bool) {
    // What else a client over HTTP/1 would upgrade to is its wish alone, which may stay unheard.
    const bool websocket = equal_no_case(x_->upgrade_protocol, "websocket");
    if (websocket || x_->must_upgrade) return connect(host);
    return Task<Result<void>>::ready(submit(host, {}));
}

/// Whether the origin takes an extended CONNECT stands in its SETTINGS (RFC 8441 section 3).
Task<Result<void>> Http2OriginEnd::connect(std::string_view host) {
    const TimePoint until = std::min({after(worker_.loop().now(), x_->route->connect), x_->until,
                                      worker_.loop().now() + limits::http2_ping_wait});
    while (!seat_->settled() && !seat_->going_away() && !failure_ && !settling_.failure) {
        settling_.gate.reset();
        settling_.gate.limit(until);
        co_await seat_.wait(settling_.gate);
        if (settling_.gate.timed_out()) break;
    }
    if (failure_) co_return *failure_;
    if (seat_->going_away()) {
        spent_ = seat_->spent();
        co_return Error{ErrorKind::upstream_refused, true, {}, "GOAWAY"};
    }
    if (!seat_->settled()) {
        co_return Error{ErrorKind::upstream_timeout, true, {}, "no SETTINGS of the origin's"};
    }
    if (!seat_->peer_takes_connect()) {
        co_return Error{ErrorKind::upgrade_unknown,
                        true,
                        {},
                        "the origin does not take WebSocket over HTTP/2 (RFC 8441); protocol: "
                        "http1 or auto reaches it over HTTP/1.1"};
    }
    co_return submit(host, x_->upgrade_protocol);
}

Result<void> Http2OriginEnd::submit(std::string_view host, std::string_view protocol) {
    if (failure_) return *failure_;
    Exchange& x = *x_;
    tunnel_ = !protocol.empty();
    const http2::Request request{
        .method = x.request.method,
        .method_text = x.request.method_text,
        .scheme = seat_->over_tls() ? "https" : "http",
        .authority = host,
        .target = x.target,
        .protocol = protocol,
        .fields = x.request.fields,
        .body = x.request.body,
        .trailers = true,
    };
    heard_before_ = seat_->heard();
    if (!seat_->submit(*this, request, &incoming_)) {
        spent_ = seat_->spent();
        return Error{ErrorKind::upstream_refused, true, {}, "the connection takes no more streams"};
    }
    untouched_ = false;
    seat_->wake();
    return Result<void>();
}

Task<Result<void>> Http2OriginEnd::write(const BodyChunk& chunk) {
    if (out_.failure()) return Task<Result<void>>::ready(Result<void>(*out_.failure()));
    if (chunk.data.empty() && !chunk.end) return Task<Result<void>>::ready(Result<void>());
    out_.put(chunk);
    more_to_send(*this);
    return out_.taken();
}

Task<Result<void>> Http2OriginEnd::flushed() const {
    if (out_.failure()) return Task<Result<void>>::ready(Result<void>(*out_.failure()));
    return Task<Result<void>>::ready(Result<void>());
}

// ---- the response

void Http2OriginEnd::expect_by(TimePoint when, ErrorKind late) {
    expected_ = when;
    late_ = late;
    if (when != never && !gate_.settled()) gate_.limit(when);
}

Task<Result<void>> Http2OriginEnd::next_head(ResponseHead& head) {
    for (;;) {
        if (called_off_) co_return *failure_;
        if (!interims_.empty()) {
            head = std::move(interims_.front());
            interims_.erase(interims_.begin());
            co_return Result<void>();
        }
        if (head_here_) break;
        if (failure_) co_return *failure_;
        gate_.reset();
        if (expected_ != never) gate_.limit(expected_);
        co_await gate_.passed();
        if (gate_.timed_out() && worker_.loop().now() >= expected_) fail(late_);
    }
    std::swap(head, incoming_.head);
    head_here_ = false;
    if (tunnel_ && head.status >= 200 && head.status < 300) make_switch(head);
    co_return Result<void>();
}

/// The answer to an extended CONNECT as RFC 6455 would have it.
void Http2OriginEnd::make_switch(ResponseHead& head) const {
    head.status = 101;
    head.body = {};
    const std::string_view key = x_->request.fields.value(Field::sec_websocket_key);
    head.fields.remove(Field::sec_websocket_accept);
    head.fields.remove(Field::content_length);
    head.fields.add(Field::upgrade, x_->upgrade_protocol);
    if (key.empty()) return;
    const http1::WebSocketAccept accept = http1::websocket_accept(key);
    head.fields.add(Field::sec_websocket_accept,
                    x_->arena.join({std::string_view(accept.data(), accept.size())}));
}

OriginEnd::Tunnel Http2OriginEnd::open_tunnel(Duration idle) {
    source_.bound(no_limit, never);
    out_.bound(idle, never);
    return {source_, sink_};
}

// ---- the stream

void Http2OriginEnd::head_came(const ResponseHead& head) noexcept {
    if (head.status >= 200) {
        head_here_ = true;
    } else {
        ResponseHead& copy = interims_.emplace_back();
        copy.status = head.status;
        copy.version = head.version;
        for (const HeaderField& field : head.fields)
            copy_field(field, x_->arena, copy.fields);
    }
    gate_.open();
}

// The connection's window is open at once: only its own stream waits for a slow client.
void Http2OriginEnd::body_came(std::string_view bytes) noexcept {
    seat_->consumed(bytes.size());
    source_.came(bytes);
}

void Http2OriginEnd::response_ended(const HeaderList* trailers) noexcept {
    source_.finished(trailers);
    if (open()) return;  // a tunnel that is half-closed
    if (!out_.ended())
        out_.failed(
            Error{ErrorKind::upstream_reset, false, {}, "answered before its request ended"});
    seat_.reset();
}

void Http2OriginEnd::failed(const Error& error) noexcept {
    if (!failure_) failure_ = error;
    const bool silent = seat_->heard() == heard_before_;
    unheard_ = error.cause.failed() && seat_->used() && (silent || error.retry_safe);
    spent_ = seat_->spent();
    untouched_ = error.retry_safe;
    source_.failed(error);
    out_.failed(error);
    gate_.open();
    seat_.reset();
}

void Http2OriginEnd::consumed(http2::SessionStream&, std::size_t bytes) noexcept {
    if (!open()) return;
    seat_->consumed_of_stream(*this, bytes);
    seat_->wake();
}

void Http2OriginEnd::more_to_send(http2::SessionStream&) noexcept {
    if (!open()) return;
    seat_->resume(*this);
    seat_->wake();
}

// ---- the end

void Http2OriginEnd::fail(ErrorKind why) noexcept {
    if (called_off_) return;
    called_off_ = true;
    failure_ = Error{why};
    if (open()) {
        seat_->http2::Session::reset(*this);
        seat_->wake();
    }
    settling_.fail(why);
    source_.failed(*failure_);
    out_.failed(*failure_);
    gate_.open();
}

bool Http2OriginEnd::died_unused(const Error& error) const noexcept {
    return error.kind == ErrorKind::upstream_refused ||
           (error.kind == ErrorKind::upstream_reset && unheard_);
}

void Http2OriginEnd::finish(bool) noexcept {
    if (open()) {
        seat_->http2::Session::reset(*this);
        seat_->wake();
    }
    seat_.reset();
    worker_.http2_ends().give_back(*this);
}

}  // namespace scrollgate
