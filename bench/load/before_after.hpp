// BeforeAfter: what was counted of each method before and after a moment, so that a drill can
// compare.
//
// Each worker has its own and they are added when all have ended. Constant memory. One thread at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bench/load/histogram.hpp"
#include "bench/load/sample.hpp"

namespace scrollgate::bench {

/// Failures and the longest latency, moment by moment, in slices much finer than a Timeline's, and
/// in constant memory: the width doubles when there would be more than beats_max.
class Pulse {
  public:
    static constexpr std::size_t beats_max = 4096;
    static constexpr Duration first_width = std::chrono::milliseconds(5);

    struct Beat {
        std::uint64_t requests = 0, failed = 0;
        Duration longest{};  ///< of completed requests
    };

    /// `at` >= 0.
    void count(Duration at, const Sample& sample);
    void add(const Pulse& other);

    [[nodiscard]] Duration width() const noexcept { return width_; }
    /// Beat i covers [i, i+1) x width().
    [[nodiscard]] const std::vector<Beat>& beats() const noexcept { return beats_; }

  private:
    void widen();
    [[nodiscard]] Beat& beat_at(Duration at);

    Duration width_ = first_width;
    std::vector<Beat> beats_;
};

class BeforeAfter {
  public:
    struct Side {
        std::array<std::uint64_t, failures> by_failure{};
        Histogram latency{2};  ///< of completed requests, from the intended start
    };
    struct Method {
        Side before, after;
        Pulse pulse;  ///< from the moment on
    };

    /// `moment`: from the start of the run on. The first quarter of the time before it is not
    /// counted: connections are opened and caches filled then.
    BeforeAfter(std::size_t methods, Duration moment);

    /// `done`: from the start of the run to the end of `sample`.
    void count(Duration done, const Sample& sample);
    /// `other` has as many methods and the same moment.
    void add(const BeforeAfter& other);

    /// As the plan numbers them.
    [[nodiscard]] const std::vector<Method>& methods() const noexcept { return methods_; }

  private:
    Duration moment_;
    std::vector<Method> methods_;
};

}  // namespace scrollgate::bench
