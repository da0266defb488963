// How often attempts succeed: a rate that follows fast where there is traffic and is not upset by
// one error where there is little. Values; one thread.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

/// Decayed counts of attempts.
struct Tally {
    double good = 0, bad = 0;

    [[nodiscard]] double samples() const noexcept { return good + bad; }
    /// In (0, 1]: with ten good attempts taken for granted, so that the first error is not all that
    /// is known.
    [[nodiscard]] double success() const noexcept {
        constexpr double granted = 10;
        return (good + granted) / (good + bad + granted);
    }
    /// In (0, 1): estimated (Krichevsky, Trofimov), so that a few good ones do not mean "never".
    [[nodiscard]] double error_rate() const noexcept { return (bad + 0.5) / (samples() + 1); }

    Tally& operator+=(const Tally& other) noexcept {
        good += other.good;
        bad += other.bad;
        return *this;
    }
    friend Tally operator+(Tally a, const Tally& b) noexcept { return a += b; }
    friend Tally operator-(const Tally& a, const Tally& b) noexcept {
        return {std::max(0.0, a.good - b.good), std::max(0.0, a.bad - b.bad)};
    }
};

/// The tally of about the last fifth of a second or the last 20 attempts, whichever is more; all of
/// it fades within half a minute.
class SuccessRate {
  public:
    /// `good` and `bad` attempts ended within the last `passed`.
    void add(double good, double bad, Duration passed) noexcept {
        const double by_time = std::exp(-seconds_of(passed) / seconds_of(limits::success_memory));
        const double by_age = std::exp(-seconds_of(passed) / seconds_of(limits::evidence_memory));
        const double total = tally_.samples();
        const double wanted = limits::success_samples - good - bad;
        const double by_count = total > 0 ? std::clamp(wanted / total, 0.0, 1.0) : 1;
        const double keep = std::min(std::max(by_time, by_count), by_age);
        tally_ = {tally_.good * keep + good, tally_.bad * keep + bad};
    }
    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

  private:
    Tally tally_;
};

/// `tally` with good ones up to limits::success_samples: what one that is well may be taken for,
/// so that its first good answers say no less about it than none.
[[nodiscard]] inline Tally filled_up(const Tally& tally) noexcept {
    return {tally.good + std::max(0.0, limits::success_samples - tally.samples()), tally.bad};
}

/// By how much the rates of two that are alike differ by chance: the standard deviation of the
/// difference between `own` and a rate of `best` over `samples` attempts.
[[nodiscard]] inline double deviation(const Tally& own, double best, double samples) noexcept {
    if (own.samples() <= 0 || samples <= 0) return 1;
    const double shared = (own.good + best * samples) / (own.samples() + samples);
    const double spread = std::max(0.0, shared * (1 - shared));
    return std::sqrt(spread * (1 / own.samples() + 1 / samples));
}

/// Part of the score of an endpoint whose rate is `own` where peers (its pool's others, the other
/// pools of its routes) have `best`: 1 within the slack and what chance may make
/// of it (`noise`), then falling with the fifth power, so that half of the answers failing leaves a
/// thirtieth. An error that all peers give costs nothing.
[[nodiscard]] inline double success_part(double own, double best, double noise = 0) noexcept {
    const double lacking =
        std::max(0.0, best - own - limits::success_slack - noise) / std::max(best, 0.5);
    return std::max(limits::part_floor, std::pow(1 - lacking, 5));
}

}  // namespace scrollgate
