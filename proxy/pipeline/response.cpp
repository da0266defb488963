// The response side of an attempt: heads, body, tunnel.
#include <algorithm>

#include "core/field_copy.hpp"
#include "core/http1/websocket_handshake.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "proxy/caching/explain_fields.hpp"
#include "proxy/caching/invalidate.hpp"
#include "proxy/caching/passed.hpp"
#include "proxy/pipeline/attempt.hpp"
#include "proxy/pipeline/grpc_call.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/pipeline/relay.hpp"
#include "proxy/pipeline/silence_watch.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// The origin switches to one of the protocols that the client asked for (RFC 9110 section 7.8).
bool was_asked(std::string_view asked, std::string_view chosen) {
    while (!asked.empty()) {
        const std::string_view one = pop_first_in_list(asked);
        if (!one.empty() && equal_no_case(one, chosen)) return true;
    }
    return false;
}

/// What is wrong with a 101; nullptr if nothing is. The key of WebSocket's handshake is looked at
/// if we have made it; a client over HTTP/1 looks at its own.
const char* bad_switch(const Exchange& x, const ResponseHead& head) {
    if (!was_asked(x.upgrade_protocol, head.fields.value(Field::upgrade)))
        return "101 for what was not asked";
    const std::string_view key = x.request.fields.value(Field::sec_websocket_key);
    if (!x.must_upgrade || key.empty()) return nullptr;
    const std::string_view accept = head.fields.value(Field::sec_websocket_accept);
    return http1::answers_websocket_key(key, accept) ? nullptr : "wrong Sec-WebSocket-Accept";
}

/// A 1xx head whose text outlives its connection's buffer.
ResponseHead copied(const ResponseHead& head, Arena& arena) {
    ResponseHead copy;
    copy.status = head.status;
    copy.version = head.version;
    for (const HeaderField& field : head.fields)
        copy_field(field, arena, copy.fields);
    return copy;
}

/// Makes x.response what is told of it: to a client, or to the cache, which judges it as it came.
void prepare_answer(Exchange& x) {
    if (x.record.kind == ExchangeRecord::Kind::fill) return prepare_for_storing(x);
    invalidate(x);
    if (x.route->cache != nullptr) note_passed(x);
    prepare_response(x);
    explain_answer(x, x.response.fields);
    set_sticky_cookie(x);
}

/// One direction of a tunnel, beside the other one.
Task<void> tunnel_up(Exchange& x, BodySink& to) {
    const std::optional<RelayError> broke =
        co_await relay(*x.body, to, x.record.bytes_in, x.worker.loop());
    if (broke) x.cancel(ErrorKind::client_closed);
}

}  // namespace

Task<Result<void>> Attempt::receive_head() {
    for (;;) {
        const Result<void> got = co_await end_->next_head(response_);
        if (!got) co_return failed(got.error());
        const std::uint16_t status = response_.status;
        if (x_.must_upgrade && status >= 200 && status < 300) {
            // A client may ask for that anywhere; the endpoint has done nothing wrong.
            Error error = failed({ErrorKind::upgrade_unknown,
                                  false,
                                  {},
                                  "the origin answers with success, but does not upgrade"});
            error.retry_safe = false;
            co_return error;
        }
        if (status >= 200) break;
        if (status == 101) {
            if (const char* why = bad_switch(x_, response_)) co_return malformed(why);
            break;
        }
        if (++interims_ > limits::interim_responses) {
            co_return malformed("too many 1xx responses");
        }
        const Result<void> passed = co_await take_interim();
        if (!passed) co_return passed;
    }
    answered_ = true;
    end_->expect_by(never, ErrorKind::cancelled);
    first_byte_ = x_.worker.loop().now() - x_.record.started;
    co_return Result<void>();
}

// 100 goes to a client that waits for it, and lets its body flow; others (103) to every client that
// can read them, as soon as this is the attempt that is delivered.
Task<Result<void>> Attempt::take_interim() {
    const bool go_on = response_.status == 100;
    if (go_on && (!x_.expects_continue || body_begun_)) {
        gate_.open();
        co_return Result<void>();
    }
    if (holding_) {
        held_.push_back(copied(response_, x_.arena));
        co_return Result<void>();
    }
    const Result<void> written = co_await forward_interim(response_);
    if (!written) co_return written;
    if (go_on) gate_.open();
    co_return Result<void>();
}

Task<Result<void>> Attempt::forward_interim(ResponseHead& head) {
    std::swap(x_.response, head);
    prepare_interim(x_);
    const Result<void> written = co_await x_.sink->interim(x_.response);
    std::swap(x_.response, head);
    co_return written;
}

Task<Result<void>> Attempt::deliver() {
    if (upload_.running() && !body_begun_) {  // it may be saying 100: never two writers
        gate_.shut();
        co_await upload_.join();
    }
    for (ResponseHead& head : held_) {
        const Result<void> written = co_await forward_interim(head);
        if (!written) co_return written;
    }
    std::swap(x_.response, response_);
    x_.record.first_byte = first_byte_;
    if (x_.response.status == 101) co_return co_await tunnel();
    co_return co_await relay_body();
}

Task<Result<void>> Attempt::relay_body() {
    if (x_.route->cache != nullptr && gives_way(x_)) {
        co_await end_upload();
        finish(false);
        co_return Error{ErrorKind::cancelled};
    }
    x_.record.status = x_.response.status;
    BodySource& body = end_->response(x_.response);
    prepare_answer(x_);
    x_.sink->head(x_.response);
    CallWatch watch(x_);
    const std::optional<RelayError> broke =
        co_await relay(body, watch.sink(), x_.record.bytes_out, x_.worker.loop());
    const bool whole = !broke && all_sent();
    co_await end_upload();
    finish(whole);
    if (x_.cancelled) co_return Error{*x_.cancelled};
    if (broke) co_return broke->error;
    co_return Result<void>();
}

Task<Result<void>> Attempt::tunnel() {
    x_.record.status = 101;
    x_.record.outcome = "tunnel";
    const std::string_view protocol = x_.response.fields.value(Field::upgrade);
    prepare_response(x_);
    set_sticky_cookie(x_);
    const Result<void> upgraded = co_await x_.sink->upgrade(x_.response, protocol);
    if (upgraded) {
        const Worker::TunnelCount counted(x_.worker);
        const SilenceWatch idle(x_, x_.route->tunnel_idle, ErrorKind::cancelled);
        x_.sink->bound(x_.route->tunnel_idle, never);
        const OriginEnd::Tunnel origin = end_->open_tunnel(x_.route->tunnel_idle);
        upload_.start(tunnel_up(x_, origin.to));
        const std::optional<RelayError> broke =
            co_await relay(origin.from, *x_.sink, x_.record.bytes_out, x_.worker.loop());
        if (broke) x_.cancel(broke->error.kind);
        if (broke) x_.body->interrupt();
        co_await upload_.join();
    }
    finish(false);
    if (!upgraded) co_return upgraded;
    x_.sink->abort();
    co_return Result<void>();
}

}  // namespace scrollgate
