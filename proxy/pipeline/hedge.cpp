#include "proxy/pipeline/hedge.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "proxy/pipeline/repeat.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// What hardly an answer of the endpoint itself takes longer than; no_limit while that is unknown.
Duration own_usual(const Endpoint& endpoint) noexcept {
    const LatencyWindow& heads = endpoint.state->heads;
    constexpr unsigned few = 20;
    return heads.count() < few ? no_limit : Duration(heads.quantile(0.99));
}

/// What an answer of the endpoint's own takes, as far as that is known: a far one is no silent one.
Duration own_typical(const Endpoint& endpoint) noexcept {
    const EndpointState& state = *endpoint.state;
    if (own_usual(endpoint) != no_limit) return Duration(state.heads.quantile(0.5));
    // It may be of calls that were given up, which must not make the next ones wait ever longer.
    return std::min<Duration>(state.latency.remembered(), limits::typical_guess);
}

/// No answer of the endpoint's own since its silence began, for longer than a stall takes.
bool stays_silent(const Endpoint& endpoint, TimePoint now) noexcept {
    const EndpointState& state = *endpoint.state;
    const Duration last{state.last_answer.load(std::memory_order_relaxed)};
    return state.missed_one() && now.time_since_epoch() - last > limits::stall_longest;
}

/// The endpoint itself hardly ever takes that long; another one may just be farther away. One that
/// stays silent is hedged at its own usual time: no more than that can be asked for.
bool unlike(const Endpoint& endpoint, Duration took, TimePoint now) noexcept {
    const Duration usual = own_usual(endpoint);
    if (stays_silent(endpoint, now)) return usual == no_limit || took > usual;
    return usual != no_limit && took > usual * 5 / 4;
}

}  // namespace

void Hedge::asked() {
    asked_ = x_.worker.loop().now();
    late_ = overdue_ = look_ = never;
    expect(x_.hedges().usual(asked_));
    x_.worker.loop().arm(*this, std::min({late_, overdue_, look_}));
}

void Hedge::expect(Duration usual) {
    if (usual == no_limit) {  // the route is young: perhaps it is known in a moment
        look_ = x_.worker.loop().now() + limits::hedge_look;
        return;
    }
    look_ = never;
    overdue_ = asked_ + std::max<Duration>(3 * usual, limits::overdue_least);
    if (!may_hedge(x_)) return;
    // Of one that has gone silent, nobody waits for the answer as long as for a far one's.
    const Endpoint& endpoint = first_.endpoint();
    late_ = asked_ + (endpoint.state->missed_one() ? std::min(usual, own_usual(endpoint)) : usual);
}

void Hedge::expired() noexcept {
    if (x_.cancelled) return;
    const TimePoint now = x_.worker.loop().now();
    const bool waiting = first_.waiting();
    if (now >= look_) expect(x_.hedges().usual(now));
    if (now >= overdue_) {
        // What is typical of the endpoint is asked of few requests: it takes a walk over its heads.
        const TimePoint own = waiting ? asked_ + 3 * own_typical(first_.endpoint()) : now;
        if (waiting && now >= own) first_.tell_overdue(now - asked_);
        overdue_ = now < own ? own : never;
    }
    // While the endpoint answers others, the share of hedges is small, and the others may be full
    // for a moment: what was refused at first is made when the endpoint's silence or room shows.
    if (now >= late_) {
        const bool patient = waiting && !decided_ && now - asked_ < limits::hedge_patience;
        late_ = patient ? now + limits::hedge_again : never;
        if (wants_rival() && claim_next()) {
            start_next();
            late_ = after(now, x_.hedges().usual(now));
        }
    }
    const TimePoint next = std::min({late_, overdue_, look_});
    if (next != never) x_.worker.loop().arm(*this, next);
}

/// Nobody is beside the first, or who is there has gone silent as well.
bool Hedge::wants_rival() const noexcept {
    if (decided_ || next_ || !first_.waiting()) return false;
    if (!rival_) return true;
    return child_.running() && rival_->waiting() && rival_->endpoint().state->missed_one();
}

/// False: not now. It takes its share of hedges, or for one that has gone silent a retry.
bool Hedge::claim_next() {
    const bool another = x_.held.back()->size() > x_.tried.size();
    if (!another || x_.sent + 1 >= x_.route->route->failover.max_attempts) return false;
    const bool hedges = x_.hedges().take();
    const TimePoint now = x_.worker.loop().now();
    if (!hedges && (!first_.endpoint().state->missed_one() || !x_.budget().take(now))) return false;
    Result<Claim> other = claim_beside(x_, first_.endpoint());
    if (!other) {
        hedges ? x_.hedges().give_back() : x_.budget().give_back();
        return false;
    }
    next_.emplace(std::move(*other));
    return true;
}

void Hedge::start_next() {
    if (rival_) return rival_->call_off();  // run_rival() goes on with the next one
    first_.hold_interims();
    put_in_place();
    child_.start(run_rival());
}

void Hedge::put_in_place() {
    ++x_.sent;
    rival_.emplace(x_, std::move(*next_), AttemptReason::beside);
    next_.reset();
    rival_->hold_interims();
}

Task<void> Hedge::run_rival() {
    for (;;) {
        rival_began_ = co_await rival_->begin(nullptr);
        if (rival_began_ || first_won_) break;
        if (!next_ && !(first_.waiting() && !decided_ && claim_next())) break;
        co_await rival_->abandon();
        put_in_place();
    }
    if (next_) drop(x_, *next_);
    next_.reset();
    if (decided_ || !rival_began_ || !good(*rival_)) co_return;
    decided_ = rival_won_ = true;
    // It might have been overdue later, had nobody answered in its place.
    const TimePoint now = x_.worker.loop().now();
    if (first_.waiting() && unlike(first_.endpoint(), now - asked_, now))
        first_.tell_overdue(now - asked_);
    first_.call_off();
}

/// An answer that nobody would ask for again elsewhere.
bool Hedge::good(const Turn& turn) const noexcept {
    return turn.status() != 0 && turn.status() < 500 && !asks_elsewhere(x_, turn.response());
}

Task<Turn*> Hedge::settle(Result<void>& began) {
    disarm();
    late_ = overdue_ = look_ = never;
    if (!rival_) co_return &first_;
    first_won_ = began && good(first_) && !rival_won_;
    decided_ = true;
    if (first_won_) rival_->call_off();
    co_await child_.join();
    const bool rival_better = rival_began_ && (!began || (!first_won_ && good(*rival_)));
    if (!rival_better) {
        co_await rival_->abandon();
        co_return &first_;
    }
    co_await first_.abandon();
    x_.record.hedge_won = true;
    began = Result<void>();
    co_return &*rival_;
}

}  // namespace scrollgate
