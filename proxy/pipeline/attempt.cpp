// The request side of an attempt: connection, head, body.
#include "proxy/pipeline/attempt.hpp"

#include <algorithm>

#include "core/http1/head_writer.hpp"
#include "core/limits.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/pipeline/relay.hpp"
#include "proxy/pipeline/repeat.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
using Way = Connection::Way;

Attempt::Attempt(Exchange& x, const Endpoint& endpoint, UpstreamLease connection) noexcept
    : x_(x), endpoint_(endpoint), connection_(std::move(connection)), gate_(x.worker.loop()) {
    x_.attach(*connection_);
    std::swap(response_, x_.response);  // for its capacity; back in the destructor
    response_.clear();
}

Attempt::~Attempt() {
    release();
    if (x_.response.fields.empty()) std::swap(response_, x_.response);
}

Task<Result<void>> Attempt::begin() {
    const Result<void> ended = co_await converse();
    if (!ended && connection_->reused()) {
        const bool silent = connection_->received_total() == received_before_;
        const Error& error = ended.error();
        died_unused_ = error.kind == ErrorKind::upstream_reset && silent && error.retry_safe;
    }
    co_return ended;
}

// Request out, final head in on connection_.
Task<Result<void>> Attempt::converse() {
    if (x_.cancelled) co_return Error{*x_.cancelled};
    received_before_ = connection_->received_total();
    const Result<void> sent = co_await send();
    if (!sent) co_return sent;
    co_return co_await receive_head();
}

Task<Result<void>> Attempt::send() {
    sink_.start(*connection_, {.patience = {.stall = x_.route->upstream_body,
                                            .stalled = ErrorKind::upstream_stalled,
                                            .until = x_.until},
                               .broken = ErrorKind::upstream_reset});
    http1::HopFields hop{.body = x_.request.body, .connection = {}, .upgrade = {}};
    if (!x_.upgrade_protocol.empty()) {
        hop.connection = "upgrade";
        hop.upgrade = x_.upgrade_protocol;
    }
    http1::append_request_head(sink_.head(), x_.request.method_text, x_.target,
                               host_for(x_, endpoint_), x_.request.fields, hop);
    sink_.frame(x_.request.body);
    if (x_.request.body.has_body()) {
        if (x_.expects_continue) {
            const Result<void> flushed = co_await sink_.flush();
            if (!flushed) co_return failed(flushed.error().kind);
            gate_.limit(x_.worker.loop().now() + limits::continue_wait);
        } else {
            gate_.open();
        }
        upload_.start(upload());
        co_return Result<void>();
    }
    const Result<void> flushed = co_await sink_.flush();
    if (!flushed) co_return failed(flushed.error().kind);
    sent_ = true;
    await_answer();
    co_return Result<void>();
}

// Runs beside the reading of the response. What goes wrong on the client's side ends the attempt;
// if the origin does not take the body, its answer (or its silence) decides.
Task<void> Attempt::upload() {
    const TimedGate::State passed = co_await gate_.passed();
    if (passed == TimedGate::State::shut) co_return;
    if (passed == TimedGate::State::timed_out) {  // the origin ignores Expect: we say it
        ResponseHead go_on;
        go_on.status = 100;
        const Result<void> said = co_await x_.sink->interim(go_on);
        if (!said) co_return x_.cancel(said.error().kind);
        if (answered_) co_return;
    }
    body_begun_ = true;
    const std::optional<RelayError> broke =
        co_await relay(*x_.body, sink_, x_.record.bytes_in, x_.worker.loop());
    sent_ = !broke;
    await_answer();
    const bool by_client = broke && broke->end == RelayError::End::source;
    if (by_client && broke->error.kind != ErrorKind::cancelled) x_.cancel(broke->error.kind);
}

// Nothing more goes out: the time for the answer runs, and a client that leaves is noticed.
void Attempt::await_answer() {
    if (sent_) x_.sink->watch();
    if (sent_) sent_at_ = x_.worker.loop().now();
    if (x_.answer_until == never) {
        x_.answer_until = after(x_.worker.loop().now(), x_.route->upstream_response);
    }
    if (answered_) return;
    const bool hard = x_.until < x_.answer_until;
    connection_->expire_at(Way::read, hard ? x_.until : x_.answer_until,
                           hard ? ErrorKind::request_timeout : ErrorKind::upstream_timeout);
}

Task<void> Attempt::end_upload() {
    gate_.shut();
    if (upload_.running()) {
        if (body_begun_) x_.body->interrupt();
        if (connection_) connection_->fail(ErrorKind::cancelled);
        co_await upload_.join();
    }
}

Task<void> Attempt::abandon() {
    co_await end_upload();
    release();
}

void Attempt::call_off() noexcept {
    if (connection_) connection_->fail(ErrorKind::cancelled);
}

// What was not sent at all can be sent elsewhere; what was, only if its effect may come twice and
// its body once more.
bool Attempt::can_repeat() const noexcept {
    if (body_begun_ && !x_.replay.whole()) return false;
    return sink_.sent() == 0 || may_repeat(x_);
}

Error Attempt::failed(ErrorKind kind, const char* detail) const noexcept {
    if (x_.cancelled) return Error{*x_.cancelled};
    if (const std::optional<ErrorKind> failure = connection_->failure()) {
        return Error{*failure, false, connection_->broken(), detail};
    }
    const bool repeat = kind == ErrorKind::upstream_reset && can_repeat();
    return Error{kind, repeat, connection_->broken(), detail};
}

}  // namespace scrollgate
