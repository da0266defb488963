#include "proxy/http1/server_session.hpp"

#include <algorithm>

#include "core/hop_by_hop.hpp"
#include "core/http1/framing.hpp"
#include "core/http1/head_parser.hpp"
#include "core/limits.hpp"
#include "proxy/http2/session.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/pipeline/pipeline.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// Idle deadlines need no precision: whole seconds let many connections share a turn of the wheel.
TimePoint whole_second(TimePoint when) {
    return when == never ? never : std::chrono::ceil<std::chrono::seconds>(when);
}

/// The type of the first record of TLS (RFC 8446 5.1); no request begins so.
constexpr char tls_handshake = 0x16;

}  // namespace

void ServerSession::start(Worker& worker, std::unique_ptr<Stream> stream, Client client,
                          bool either) {
    auto* session = new ServerSession(worker, std::move(stream), std::move(client), either);
    detach(session->run());
}

ServerSession::ServerSession(Worker& worker, std::unique_ptr<Stream> stream, Client client,
                             bool either)
    : Connection(worker.loop(), std::move(stream)),
      Session(worker, std::move(client)),
      draining_(worker.closing(Session::client())),
      either_(either) {}

ServerSession::~ServerSession() = default;

Task<void> ServerSession::run() {
    unsigned in_a_row = 0;
    for (;;) {
        if (received().empty()) {
            in_a_row = 0;
            if (!co_await await_request()) break;
            if (either_ && co_await speaks_http2()) {
                Http2Session::take_over(std::move(*this), std::move(*this));
                co_return destroy_when_quiet();
            }
        } else if (++in_a_row % limits::inline_exchanges == 0) {
            co_await loop().yield();
        }
        if (!co_await serve_one(in_a_row > 0)) break;
    }
    phase_ = Phase::lingering;
    co_await linger(*this);
    destroy_when_quiet();
}

// Waits for the first byte of a request. False: there will be none.
Task<bool> ServerSession::await_request() {
    phase_ = Phase::idle;
    worker_.idle_sessions(+1);
    while (received().empty() && !at_end() && !failure()) {
        const TimePoint now = loop().now();
        const Duration idle = worker_.snapshot().shared->config->timeouts.client_idle;
        idle_until_ = draining_ ? now + limits::buffer_return : whole_second(after(now, idle));
        expire_at(Way::read, std::min(idle_until_, now + limits::buffer_return),
                  ErrorKind::cancelled);
        if (!co_await more()) break;
        if (received() == "\r\n") consume(2);  // behind a body, from old clients (RFC 9112 2.2)
    }
    worker_.idle_sessions(-1);
    expire_at(Way::read, never, ErrorKind::cancelled);
    co_return !received().empty();
}

// HTTP/2 without TLS (RFC 9113 section 3.3): told from a request by the first line of its preface.
Task<bool> ServerSession::speaks_http2() {
    constexpr std::string_view preface = "PRI * HTTP/2.0\r\n";
    either_ = false;
    expire_at(Way::read,
              after(loop().now(), worker_.snapshot().shared->config->timeouts.client_header),
              ErrorKind::cancelled);
    while (preface.starts_with(received()) && received().size() < preface.size()) {
        if (!co_await more()) break;
    }
    expire_at(Way::read, never, ErrorKind::cancelled);
    co_return received().starts_with(preface);
}

// One request and its response. True: the connection may carry another one.
Task<bool> ServerSession::serve_one(bool pipelined) {
    ServerExchange& one = worker_.http1_exchanges().take(worker_);
    Exchange& x = one.exchange;
    begin(one);
    x.pipelined = pipelined;
    const Result<void> head = co_await read_head(x);
    phase_ = Phase::exchange;
    current_ = &one;
    const bool more_to_come = !at_end() || !received().empty();
    const bool keep = head && !draining_ && more_to_come &&
                      !http1::wants_close(x.request.version, x.request.fields);
    one.body.start(*this, head ? x.request.body : BodyFraming{},
                   {.stall = x.config().timeouts.client_body,
                    .stalled = ErrorKind::body_timeout,
                    .cut_short = ErrorKind::client_closed,
                    .malformed = ErrorKind::bad_chunk,
                    .most = x.config().limits.body});
    one.sink.start(*this, x.request, one.body, keep, x.config().timeouts.client_write);
    identify(x);
    if (!head) {
        co_await refuse(x, head.error());
    } else {
        x.upgrade = asks_for_upgrade(x.request);
        if (one.body.ended()) arm();  // a client that leaves now is noticed
        co_await serve(x);
    }
    current_ = nullptr;
    if (x.cancelled && x.record.outcome == "ok") x.record.outcome = facts(*x.cancelled).reason;
    worker_.observe(x);
    const bool again = one.sink.reusable() && one.body.ended() && !failure();
    if (one.sink.aborted()) close(one.sink.abort_by_reset());
    unpin();
    worker_.http1_exchanges().give_back(one);
    co_return again;
}

void ServerSession::begin(ServerExchange& one) {
    phase_ = Phase::head;
    Exchange& x = one.exchange;
    x.snapshot = worker_.snapshot_ref();
    x.client = &client_;
    x.body = &one.body;
    x.sink = &one.sink;
    x.record.started = loop().now();
}

// What ends the wait (a deadline, the end of the stream) is judged after one more parse, so that
// the head's views are of bytes that have not moved since.
Task<Result<void>> ServerSession::read_head(Exchange& x) {
    using Status = http1::ParseResult::Status;
    const http1::HeadLimits& limits = x.snapshot->shared->head_limits;
    std::optional<ErrorKind> ended;
    std::size_t scanned = 0;
    for (;;) {
        x.request.clear();
        if (ended) scanned = 0;
        const http1::ParseResult parsed =
            http1::parse_request_head(received(), limits, scanned, x.request);
        if (parsed.status == Status::complete) {
            consume(parsed.consumed);
            pin();
            read_on();
            expire_at(Way::read, never, ErrorKind::cancelled);
            co_return Result<void>();
        }
        if (parsed.status == Status::failed && received().front() == tls_handshake) {
            co_return Error{ErrorKind::tls_on_plain, false, {}, "a TLS handshake on a plain port"};
        }
        if (parsed.status == Status::failed) {
            co_return Error{parsed.error, false, {}, parsed.detail};
        }
        if (ended) co_return Error{*ended, false, broken()};
        expire_at(Way::read, after(x.record.started, x.config().timeouts.client_header),
                  ErrorKind::header_timeout);
        if (!reading() && !reserve(received().size() + 1)) {
            ended = ErrorKind::overloaded;
        } else if (!co_await more()) {
            ended = read_failure().value_or(starved() ? ErrorKind::overloaded
                                                      : ErrorKind::client_closed);
        }
    }
}

void ServerSession::destroy_when_quiet() {
    phase_ = Phase::over;
    if (!busy()) delete this;
}

void ServerSession::input_seen() noexcept {
    if (phase_ == Phase::over) {
        if (!busy()) delete this;
    } else if (current_ != nullptr && broken()) {
        current_->exchange.cancel(failure().value_or(ErrorKind::client_closed));
    }
}

void ServerSession::deadline_passed(ErrorKind kind) noexcept {
    // The whole time is over while the client takes nothing: there is no telling it.
    const bool cannot_tell = kind == ErrorKind::request_timeout && writing();
    if (cannot_tell) {
        fail(kind);
    } else if (kind == ErrorKind::header_timeout || kind == ErrorKind::body_timeout ||
               kind == ErrorKind::request_timeout) {
        stop_reading(kind);  // the client is told so
    } else if (phase_ == Phase::idle && loop().now() < idle_until_ && !draining_) {
        park();
        expire_at(Way::read, idle_until_, ErrorKind::cancelled);
    } else {
        fail(kind);
    }
}

void ServerSession::say_close() noexcept {
    draining_ = true;
    if (current_ != nullptr) current_->sink.will_close();
}

void ServerSession::drain() {
    say_close();
    if (phase_ != Phase::idle) return;
    if (parked()) return fail(ErrorKind::shutting_down);
    expire_at(Way::read, loop().now() + limits::buffer_return, ErrorKind::shutting_down);
}

void ServerSession::abandon() {
    if (current_ != nullptr) current_->exchange.cancel(ErrorKind::shutting_down);
    fail(ErrorKind::shutting_down);
}

}  // namespace scrollgate
