// Histogram of durations in constant memory: log-linear buckets, as in HdrHistogram (Tene, 2012).
//
// Values are nanoseconds from 0 to highest. Up to 2 x 10^digits every value has a bucket of its
// own; above, buckets double in width whenever the value doubles, so that a quantile is off by at
// most one part in 10^digits. Recording is O(1) and allocates nothing. Not for several threads:
// each has its own and they are added.
#pragma once

#include <cstdint>
#include <vector>

#include "core/clock.hpp"

namespace scrollgate::bench {

/// Buckets are of `Count`: an unsigned type. One that is full stays so, and then quantiles beyond
/// it are max().
template <class Count>
class BasicHistogram {
  public:
    static constexpr Duration highest = std::chrono::hours(1);

    /// `digits` (1-4): significant decimal digits that are kept. With counts of 64 bits 3
    /// take 270 KiB and 2 take 36, of 32 half of that.
    explicit BasicHistogram(unsigned digits = 3);

    /// Counts `value`; outside of [0, highest] it counts as the nearer end.
    void record(Duration value) noexcept;
    /// Adds what `other` has counted. Both have the same digits.
    template <class Other>
    void add(const BasicHistogram<Other>& other) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// Of all recorded values, exactly; 0 if there are none.
    [[nodiscard]] Duration min() const noexcept;
    [[nodiscard]] Duration max() const noexcept { return max_; }
    [[nodiscard]] Duration mean() const noexcept;
    /// The least value that at least `quantile` (0-1) of all values do not exceed (nearest rank),
    /// to the histogram's digits and never more than max(). 0 if there are none.
    [[nodiscard]] Duration at(double quantile) const noexcept;

  private:
    template <class Other>
    friend class BasicHistogram;

    [[nodiscard]] std::size_t index_of(std::uint64_t value) const noexcept;
    [[nodiscard]] std::uint64_t last_value_of(std::size_t index) const noexcept;

    unsigned bits_;  ///< of a value that are kept, the leading one included
    std::vector<Count> buckets_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
    Duration min_ = Duration::max(), max_{0};
};

using Histogram = BasicHistogram<std::uint64_t>;
/// Half as large, for slices of a run: four thousand million values in each bucket.
using SliceHistogram = BasicHistogram<std::uint32_t>;

}  // namespace scrollgate::bench
