// What is known about how long answers take: a peak-sensitive average for picks, and a histogram
// for percentiles. Both are relaxed atomics that any thread may write; a lost race costs one
// sample.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

/// Peak-EWMA (Finagle): rises at once to a slower sample, falls slowly with faster ones and with
/// time, so that an endpoint that nobody uses is tried again. One word: microseconds as a float,
/// and when, in ticks of 2^16 ns that wrap after 3 days.
class PeakEwma {
  public:
    /// `took` may be a lower bound (a call that was given up): then only `peak` is right.
    void observe(Duration took, TimePoint now) noexcept {
        const std::uint64_t seen = word_.load(std::memory_order_relaxed);
        const float old = decayed(seen, now);
        const float sample = believable(took, old);
        const float share = fresh_share(seen, now);
        word_.store(pack(sample > old ? sample : old + (sample - old) * share, now),
                    std::memory_order_relaxed);
    }
    /// Raises the average to `took` if that is more: the call has lasted that long without an end.
    void at_least(Duration took, TimePoint now) noexcept {
        const float old = value(now);
        const float sample = believable(took, old);
        if (sample > old) word_.store(pack(sample, now), std::memory_order_relaxed);
    }
    /// Microseconds; 0 while nothing is known. With calls `out`, whose ends will tell more, it is
    /// forgotten more slowly: else one that is slow and was left alone for a while would look like
    /// the fastest, and be given several calls at once to show that it is not.
    [[nodiscard]] float value(TimePoint now, std::uint32_t out = 0) const noexcept {
        const std::uint64_t word = word_.load(std::memory_order_relaxed);
        constexpr std::uint32_t most = 3;  // streams may be out for hours
        return value_of(word) *
               left(word, now, 0, static_cast<float>((out < most ? out : most) + 1));
    }
    /// As it was when last written, however long ago; zero while nothing is known.
    [[nodiscard]] Duration remembered() const noexcept {
        const float us = value_of(word_.load(std::memory_order_relaxed));
        return Duration(static_cast<std::int64_t>(us * 1e3F));
    }

  private:
    static constexpr unsigned tick_shift = 16;
    static constexpr float decay_ticks =
        static_cast<float>(Duration(limits::latency_decay).count() >> tick_shift);

    /// One sample says "slow", not how slow: it raises the average 16-fold at most (and from
    /// nothing to 20 ms), so that a single report of seconds among answers of milliseconds is soon
    /// forgotten. More of the kind raise it further.
    static float believable(Duration took, float old) noexcept {
        const float us = static_cast<float>(took.count()) * 1e-3F;
        const float most = 16 * old + 20'000;
        return us < most ? us : most;
    }
    static std::uint32_t ticks(TimePoint now) noexcept {
        return static_cast<std::uint32_t>(
            static_cast<std::uint64_t>(now.time_since_epoch().count()) >> tick_shift);
    }
    static std::uint64_t pack(float value, TimePoint now) noexcept {
        return (std::uint64_t{std::bit_cast<std::uint32_t>(value)} << 32) | ticks(now);
    }
    /// Ticks since the word was written; a clock that another thread read a little earlier is 0.
    static float age(std::uint64_t word, TimePoint now) noexcept {
        const auto passed =
            static_cast<std::int32_t>(ticks(now) - static_cast<std::uint32_t>(word));
        return passed > 0 ? static_cast<float>(passed) : 0.0F;
    }
    /// What is left of a value after its age: (1 + t/4T)^-4, near to e^(-t/T) for a few divisions
    /// less. A plain 1/t would keep one answer of seconds in mind for an hour.
    static float left(std::uint64_t word, TimePoint now, float more = 0,
                      float slower = 1) noexcept {
        const float root = 1 + (age(word, now) + more) / (4 * decay_ticks * slower);
        const float square = root * root;
        return 1 / (square * square);
    }
    /// How much a new sample counts after this silence.
    static float fresh_share(std::uint64_t word, TimePoint now) noexcept {
        return 1 - left(word, now, 1);
    }
    static float value_of(std::uint64_t word) noexcept {
        return std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32));
    }
    static float decayed(std::uint64_t word, TimePoint now) noexcept {
        return value_of(word) * left(word, now);
    }

    std::atomic<std::uint64_t> word_{0};
};

/// Percentiles of the last one to two spans: a log-linear histogram (8 steps per doubling, so
/// within 12.5 %) in two halves; rotate() starts a new half and forgets the older one.
class LatencyWindow {
  public:
    void record(Duration took) noexcept {
        halves_[current_.load(std::memory_order_relaxed)].counts[slot(took)].fetch_add(
            1, std::memory_order_relaxed);
    }
    /// By one thread, once per span.
    void rotate() noexcept {
        const unsigned next = 1 - current_.load(std::memory_order_relaxed);
        for (auto& count : halves_[next].counts)
            count.store(0, std::memory_order_relaxed);
        current_.store(next, std::memory_order_relaxed);
    }
    /// Samples in the window.
    [[nodiscard]] std::uint64_t count() const noexcept;
    /// Those of them since the last rotate().
    [[nodiscard]] std::uint64_t fresh() const noexcept;
    /// What came between two readings has the difference of the logarithms' sums over that of the
    /// counts as its mean; not across a rotate().
    struct LogSum {
        std::uint64_t count = 0;
        double logs = 0;  ///< natural, of microseconds
    };
    [[nodiscard]] LogSum log_sum() const noexcept;
    /// The upper edge of the step that holds quantile `q` in [0, 1]; zero without samples.
    [[nodiscard]] Duration quantile(double q) const noexcept;

  private:
    static constexpr unsigned steps = 8;
    static constexpr unsigned doublings = 28;  ///< from 1 us to 2^28 us = 268 s
    static constexpr std::size_t slots = std::size_t{steps} * doublings;

    static std::size_t slot(Duration took) noexcept;
    static Duration upper_edge(std::size_t slot) noexcept;

    struct Half {
        [[nodiscard]] std::uint64_t sum() const noexcept;
        std::array<std::atomic<std::uint32_t>, slots> counts{};
    };
    std::array<Half, 2> halves_;
    std::atomic<unsigned> current_{0};
};

}  // namespace scrollgate
