// The request side of an attempt: connection, head, body.
#include "proxy/pipeline/attempt.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/pipeline/relay.hpp"
#include "proxy/pipeline/repeat.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

Attempt::Attempt(Exchange& x, const Endpoint& endpoint, OriginEnd& end) noexcept
    : x_(x), endpoint_(endpoint), end_(&end), gate_(x.worker.loop()) {
    x_.attach(end);
    std::swap(response_, x_.response);  // for its capacity; back in the destructor
    response_.clear();
}

Attempt::~Attempt() {
    finish(false);
    if (x_.response.fields.empty()) std::swap(response_, x_.response);
}

Task<Result<void>> Attempt::begin() {
    const Result<void> ended = co_await converse();
    if (!ended) died_unused_ = ended.error().retry_safe && end_->died_unused(ended.error());
    if (!ended) spent_ = end_->spent();
    co_return ended;
}

// Request out, final head in.
Task<Result<void>> Attempt::converse() {
    if (x_.cancelled) co_return Error{*x_.cancelled};
    const Result<void> sent = co_await send();
    if (!sent) co_return sent;
    co_return co_await receive_head();
}

Task<Result<void>> Attempt::send() {
    const bool body = x_.request.body.has_body();
    const std::string_view host = host_for(x_, endpoint_);
    const Result<void> sent = co_await end_->send(host, !body || x_.expects_continue);
    if (!sent) co_return failed(sent.error());
    if (body) {
        if (x_.expects_continue) {
            gate_.limit(x_.worker.loop().now() + limits::continue_wait);
        } else {
            gate_.open();
        }
        upload_.start(upload());
        co_return Result<void>();
    }
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
    uploaded_before_ = x_.record.bytes_in;
    const std::optional<RelayError> broke =
        co_await relay(*x_.body, end_->request(), x_.record.bytes_in, x_.worker.loop());
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
    end_->expect_by(hard ? x_.until : x_.answer_until,
                    hard ? ErrorKind::request_timeout : ErrorKind::upstream_timeout);
}

Task<void> Attempt::end_upload() {
    gate_.shut();
    if (upload_.running()) {
        if (body_begun_) x_.body->interrupt();
        if (!all_sent()) end_->fail(ErrorKind::cancelled);
        co_await upload_.join();
    }
}

// More bytes than were announced break the client's stream; the origin has none of them.
bool Attempt::all_sent() const noexcept {
    const BodyFraming& body = x_.request.body;
    return sent_ || (body_begun_ && body.kind == BodyFraming::Kind::length &&
                     x_.record.bytes_in - uploaded_before_ == body.length);
}

Task<void> Attempt::abandon() {
    co_await end_upload();
    finish(false);
}

void Attempt::call_off() noexcept {
    if (end_ != nullptr) end_->fail(ErrorKind::cancelled);
}

// What was not sent at all can be sent elsewhere; what was, only if its effect may come twice and
// its body once more.
bool Attempt::can_repeat(const Error& error) const noexcept {
    if (body_begun_ && !x_.replay.whole()) return false;
    return error.retry_safe || end_->untouched() || may_repeat(x_);
}

Error Attempt::failed(Error error) const noexcept {
    if (x_.cancelled) return Error{*x_.cancelled};
    const bool lost =
        error.kind == ErrorKind::upstream_reset || error.kind == ErrorKind::upstream_refused;
    error.retry_safe = (lost || error.kind == ErrorKind::upgrade_unknown) && can_repeat(error);
    return error;
}

Error Attempt::malformed(const char* detail) const noexcept {
    return failed(Error{ErrorKind::upstream_malformed, false, {}, detail});
}

void Attempt::finish(bool whole) {
    if (end_ == nullptr) return;
    x_.detach(*end_);
    std::exchange(end_, nullptr)->finish(whole);
}

}  // namespace scrollgate
