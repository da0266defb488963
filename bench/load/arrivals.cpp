#include "bench/load/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include "bench/load/keys.hpp"

namespace scrollgate::bench {

Duration duration_of(double nanoseconds) noexcept {
    constexpr double longest = 0x1p62;  // about 146 years, so that a start can be added
    if (!(nanoseconds < longest)) return no_limit;
    return Duration(std::llround(nanoseconds));
}

std::size_t Arrivals::step_at(const std::vector<Step>& steps, Duration at) noexcept {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (at < steps[i].length) return i;
        at -= steps[i].length;
    }
    return steps.size() - 1;
}

double Arrivals::mean_rate(const std::vector<Step>& steps, Duration length) noexcept {
    double mean = 0;
    Duration covered{};
    // A running mean: that of one rate is that rate, to the last bit.
    for (const Step& step : steps) {
        const Duration part = std::min(step.length, length - covered);
        covered += part;
        mean += (step.rate - mean) * (seconds_of(part) / seconds_of(covered));
    }
    return mean;
}

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
    step_start_ = start;
    step_end_ = after(start, steps_[step_].length);
    ns_ = kind_ == Kind::even ? gap() * share_ / shares_ : gap();
    set_due();
}

double Arrivals::gap() noexcept {
    const double mean = 1e9 * shares_ / steps_[step_].rate;
    return kind_ == Kind::even ? mean : -mean * std::log(uniform(rng_));
}

void Arrivals::set_due() noexcept {
    due_ = after(step_start_, duration_of(ns_));
    if (due_ < step_end_) return;
    ++step_;
    enter_step(step_end_);
}

std::uint64_t Arrivals::skip_to(TimePoint end) noexcept {
    constexpr std::uint64_t one_by_one = 1'000'000;
    std::uint64_t skipped = 0;
    for (; due_ < end && skipped < one_by_one; ++skipped)
        advance();
    while (due_ < end) {
        const Duration left = std::min(step_end_, end) - due_;
        const double more = seconds_of(left) * steps_[step_].rate / shares_;
        skipped += static_cast<std::uint64_t>(std::ceil(more));
        ns_ += static_cast<double>(left.count()) + gap();
        set_due();
    }
    return skipped;
}

void Arrivals::advance() noexcept {
    if (due_ == never) return;
    ns_ += gap();
    set_due();
}

}  // namespace scrollgate::bench
