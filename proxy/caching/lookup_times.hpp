// LookupTimes: how long looking into the store takes, by one look-up of many: two readings of the
// clock for each would cost more than many a look-up itself.
//
// Buckets of a quarter octave. Any thread; relaxed atomics, which workers write seldom.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/clock.hpp"

namespace scrollgate {

class LookupTimes {
  public:
    static constexpr unsigned sampled = 64;  ///< one look-up of so many is timed

    void add(Duration took) noexcept {
        const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 1));
        const auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1;
        const std::uint64_t part = octave < 2 ? 0 : (ns >> (octave - 2)) & 3;
        const std::size_t bucket = std::min<std::size_t>(octave * 4 + part, buckets - 1);
        counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    }
    /// In microseconds: the upper bound of the bucket that holds the quantile `q` in (0, 1); 0:
    /// none has been timed.
    [[nodiscard]] double quantile_us(double q) const noexcept {
        std::array<std::uint64_t, buckets> now{};
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < buckets; ++i)
            all += now[i] = counts_[i].load(std::memory_order_relaxed);
        if (all == 0) return 0;
        const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all)));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets; ++i) {
            seen += now[i];
            if (seen >= wanted) return upper_us(i);
        }
        return upper_us(buckets - 1);
    }

  private:
    static constexpr std::size_t buckets = 160;

    static double upper_us(std::size_t bucket) noexcept {
        const double octave = std::ldexp(1.0, static_cast<int>(bucket / 4));
        return octave * (1.25 + 0.25 * static_cast<double>(bucket % 4)) / 1000;
    }

    std::array<std::atomic<std::uint64_t>, buckets> counts_{};
};

}  // namespace scrollgate
