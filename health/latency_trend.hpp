// LatencyTrend: how long answers take now, against what is usual for this endpoint.
//
// Both are means of logarithms, so that one report of 20 s among quick answers weighs little.
// "Usual" is the mean over the endpoint's life, at most over some minutes, and stands still while
// answers are far from it: a sick endpoint does not become its own measure. A cloud that is farther
// away is usual to itself. Values; one thread.
#pragma once

#include <cstdint>

#include "core/clock.hpp"

namespace scrollgate {

class LatencyTrend {
  public:
    /// `count` answers (maybe 0) with this mean of logarithms (of microseconds) came within
    /// `passed`. `like_peers`: its pool is as slow as it is, so that what has lasted for
    /// limits::baseline_stands may become usual.
    void add(std::uint64_t count, double mean_log, Duration passed, bool like_peers) noexcept;

    /// Enough is known to judge.
    [[nodiscard]] bool known() const noexcept;
    /// Microseconds; 0 while nothing is known.
    [[nodiscard]] double recent() const noexcept;
    [[nodiscard]] double usual() const noexcept;
    /// How many times slower than usual; 1 while nothing is known.
    [[nodiscard]] double against_usual() const noexcept;

  private:
    double samples_ = 0;
    double recent_ = 0, usual_ = 0;  ///< logarithms
    Duration age_{};                 ///< time with traffic that went into usual_
    Duration slow_for_{};
};

/// a / b with limits::latency_pad on both sides; microseconds.
[[nodiscard]] double times_slower(double a, double b) noexcept;

/// Part of the score of an endpoint that is `own` times slower than usual (less what all clouds
/// are) and `peers` times slower than its pool: 1 up to the tolerances, then by the square.
[[nodiscard]] double latency_part(double own, double peers) noexcept;

}  // namespace scrollgate
