// Timeline: the run in slices of equal width, for plots, the live view and drills.
//
// Workers fill slices of their own and hand them over; the main thread merges. Memory is constant:
// when there are more than slices_max, neighbours are merged and the width doubles.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "bench/load/histogram.hpp"
#include "bench/load/sample.hpp"

namespace scrollgate::bench {

/// How often each status code came. Codes beyond `most` are counted as 0.
class StatusCounts {
  public:
    static constexpr std::size_t most = 24;
    using Entry = std::pair<std::uint16_t, std::uint64_t>;

    void add(std::uint16_t status, std::uint64_t count);
    /// In the order in which they first came.
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
    /// By code.
    [[nodiscard]] std::vector<Entry> sorted() const;

  private:
    std::vector<Entry> entries_;
};

/// What ended between start + index x width and the next slice.
struct Slice {
    void count(const Sample& sample);
    void add(const Slice& other);

    std::uint64_t index = 0;
    std::uint64_t completed = 0, failed = 0;
    std::uint64_t bytes_in = 0;
    std::array<std::uint64_t, 6> by_class{};  ///< 1xx … 5xx at 1 … 5; at 0 no response
    StatusCounts by_status;                   ///< of completed requests
    std::array<std::uint64_t, failures> by_failure{};
    std::array<std::uint64_t, cache_results> by_cache{};
    std::vector<std::uint64_t> by_group;  ///< completed, by Sample::group; as long as needed
    Histogram latency{2};                 ///< of completed requests, from the intended start
};

class Timeline {
  public:
    static constexpr std::size_t slices_max = 600;

    explicit Timeline(Duration width);
    /// Merges `slice`, whose index counts slices of the first width.
    void add(const Slice& slice);

    [[nodiscard]] Duration width() const noexcept { return width_; }
    /// From the start on, without gaps; slice i covers [i, i+1) x width().
    [[nodiscard]] const std::vector<Slice>& slices() const noexcept { return slices_; }

  private:
    void halve();

    Duration width_;
    std::uint64_t merged_ = 1;  ///< first widths in one of now
    std::vector<Slice> slices_;
};

}  // namespace scrollgate::bench
