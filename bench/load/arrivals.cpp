#include "bench/load/arrivals.hpp"

#include <cmath>

#include "bench/load/keys.hpp"

namespace scrollgate::bench {

Arrivals::Arrivals(Kind kind, std::vector<Step> steps, TimePoint start, unsigned share,
                   unsigned shares, Rng& rng)
    : kind_(kind), steps_(std::move(steps)), share_(share), shares_(shares), rng_(rng) {
    enter_step(start);
}

/// The first arrival of a step: for even ones a fraction of the gap, which differs by share.
void Arrivals::enter_step(TimePoint start) noexcept {
    if (step_ == steps_.size()) {
        due_ = never;
        return;
    }
    step_end_ = after(start, steps_[step_].length);
    due_ = start + (kind_ == Kind::even ? gap() * share_ / shares_ : gap());
    if (due_ >= step_end_) {
        ++step_;
        enter_step(step_end_);
    }
}

Duration Arrivals::gap() noexcept {
    const double mean = 1e9 * shares_ / steps_[step_].rate;
    const double ns = kind_ == Kind::even ? mean : -mean * std::log(uniform(rng_));
    return Duration(static_cast<Duration::rep>(ns));
}

void Arrivals::advance() noexcept {
    if (due_ == never) return;
    due_ += gap();
    if (due_ < step_end_) return;
    ++step_;
    enter_step(step_end_);
}

}  // namespace scrollgate::bench
