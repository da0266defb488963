// LookupTimes: how long looking into the store takes, by a sample (LookupSample): two readings of
// the clock for each would cost more than many a look-up itself.
//
// Buckets of a quarter octave. Any thread; relaxed atomics, which workers write seldom.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/clock.hpp"

namespace scrollgate {

class LookupTimes {
  public:
    /// All that were timed, for a histogram: how many took so long or less.
    struct Totals {
        struct Bucket {
            double seconds;
            std::uint64_t count;
        };
        std::vector<Bucket> buckets;  ///< by doubling bounds, always the same ones
        std::uint64_t count = 0;
        double seconds = 0;  ///< their sum
    };

    void add(Duration took) noexcept {
        const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 1));
        const auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1;
        const std::uint64_t part = octave < 2 ? 0 : (ns >> (octave - 2)) & 3;
        const std::size_t bucket = std::min<std::size_t>(octave * 4 + part, buckets - 1);
        counts_[bucket].fetch_add(1, std::memory_order_relaxed);
        ns_.fetch_add(ns, std::memory_order_relaxed);
    }
    [[nodiscard]] Totals totals() const {
        constexpr std::size_t first = 6, last = 23;  // octaves: bounds of 128 ns to 17 ms
        Totals all;
        for (std::size_t i = 0; i < buckets; ++i) {
            all.count += counts_[i].load(std::memory_order_relaxed);
            const std::size_t octave = i / 4;
            if (i % 4 == 3 && octave >= first && octave <= last)
                all.buckets.push_back({upper_us(i) / 1e6, all.count});
        }
        all.seconds = static_cast<double>(ns_.load(std::memory_order_relaxed)) / 1e9;
        return all;
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
    std::atomic<std::uint64_t> ns_{0};
};

}  // namespace scrollgate
