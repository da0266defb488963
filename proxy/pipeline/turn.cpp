#include "proxy/pipeline/turn.hpp"

#include "proxy/pipeline/grpc_call.hpp"
#include "proxy/pipeline/hedge.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

Turn::Turn(Exchange& x, Claim claim, AttemptReason reason)
    : x_(x),
      claim_(std::move(claim)),
      endpoint_(&claim_.endpoint()),
      begun_(x.worker.loop().now()) {
    begin_attempt(x_, *endpoint_, reason);
}

Task<Result<void>> Turn::begin(Hedge* hedge) {
    Result<void> ended = co_await ask(hedge);
    if (!ended && attempt_ && attempt_->died_unused()) {
        co_await attempt_->abandon();
        attempt_.reset();
        if (claim_again(x_, claim_)) ended = co_await ask(hedge);
    }
    // The client's pace in sending a body is not the endpoint's latency.
    took_ = x_.worker.loop().now() - (sent() ? attempt_->sent_at() : begun_);
    if (ended) {
        status_ = attempt_->response().status;
        x_.hedges().answered(took_);
        answered(x_, *endpoint_, attempt_->response(), took_);
    } else if (!reported_) {
        end_attempt(x_, *endpoint_, ended.error(), took_, {overdue_, spent_});
    }
    co_return ended;
}

Task<Result<void>> Turn::connect() {
    connect_ = Duration::zero();
    if (claim_.ready()) co_return Result<void>();
    race_.emplace(x_, claim_);
    if (called_off_) race_->call_off();
    const Result<void> connected = co_await race_->run();
    connect_ = connected ? race_->took() : Duration(-1);
    race_.reset();
    co_return connected;
}

Task<Result<void>> Turn::ask(Hedge* hedge) {
    const Result<void> connected = co_await connect();
    x_.record.connect = connect_;
    reported_ = !connected;
    if (!connected) co_return connected;
    endpoint_ = &claim_.endpoint();
    x_.record.endpoint = endpoint_;
    if (!rewind_body()) {
        reported_ = true;  // nothing was asked of the endpoint
        claim_.leave();
        co_return Error{ErrorKind::upstream_reset, false, {}, "the body cannot be sent again"};
    }
    attempt_.emplace(x_, *endpoint_, end_of(x_, claim_));
    if (holding_) attempt_->hold_interims();
    if (called_off_) attempt_->call_off();
    begun_ = x_.worker.loop().now();  // latency is the endpoint's, not the handshake's
    tell_deadline(x_);
    if (hedge != nullptr) hedge->asked();
    const Result<void> begun = co_await attempt_->begin();
    spent_ = attempt_->spent();
    co_return begun;
}

/// The request's body from its first byte. False if a part of it was not kept.
bool Turn::rewind_body() noexcept {
    if (x_.body != &x_.replay) return true;
    if (!x_.replay.whole()) return false;
    if (x_.replay.begun()) {
        x_.record.bytes_in = 0;
        x_.expects_continue = false;  // the client has heard it, and sent
    }
    x_.replay.rewind();
    return true;
}

Task<Result<void>> Turn::deliver() {
    x_.record.endpoint = endpoint_;
    x_.record.connect = connect_;
    const Result<void> delivered = co_await attempt_->deliver();
    end_answered(x_, *endpoint_, delivered, took_);
    let_go();
    co_return delivered;
}

Task<void> Turn::abandon() {
    if (attempt_) co_await attempt_->abandon();
    if (status_ != 0) end_answered(x_, *endpoint_, Result<void>(), took_);
    let_go();
}

void Turn::call_off() noexcept {
    called_off_ = true;
    if (attempt_) attempt_->call_off();
    if (race_) race_->call_off();
}

void Turn::tell_overdue(Duration took) {
    if (overdue_) return;
    overdue_ = true;
    overdue(x_, *endpoint_, took);
}

void Turn::hold_interims() noexcept {
    holding_ = true;
    if (attempt_) attempt_->hold_interims();
}

bool Turn::waiting() const noexcept {
    return attempt_ && attempt_->sent() && !attempt_->heard() && status_ == 0;
}

void Turn::let_go() {
    if (!claim_.lease) return;
    claim_.lease.release();
    x_.worker.hand_on(*endpoint_);
}

}  // namespace scrollgate
