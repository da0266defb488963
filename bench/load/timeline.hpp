// Timeline: the run in slices of equal width, for plots, the live view and drills.
//
// Workers fill slices of their own and hand them over; the main thread merges. Memory is constant
// from the first slice on, however long the run: room for slices_max is made then, and when more
// would come, neighbours are merged in place and the width doubles.
#pragma once

#include <array>
#include <cstdint>
#include <span>
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

    void add(std::uint16_t status, std::uint64_t count) noexcept;
    /// In the order in which they first came.
    [[nodiscard]] std::span<const Entry> entries() const noexcept {
        return {entries_.data(), used_};
    }
    /// By code.
    [[nodiscard]] std::vector<Entry> sorted() const;

  private:
    std::array<Entry, most + 1> entries_{};  ///< one more for 0
    std::size_t used_ = 0;
};

/// What ended between start + index x width and the next slice. All of them have the same size, 20
/// KiB.
struct Slice {
    void count(const Sample& sample) noexcept;
    /// All but the index.
    void add(const Slice& other) noexcept;
    /// Nothing ended; the index stays.
    void clear() noexcept;

    std::uint64_t index = 0;
    std::uint64_t completed = 0, failed = 0;
    std::uint64_t bytes_in = 0;
    std::array<std::uint64_t, 6> by_class{};  ///< 1xx … 5xx at 1 … 5; at 0 no response
    StatusCounts by_status;                   ///< of completed requests
    std::array<std::uint64_t, failures> by_failure{};
    std::array<std::uint64_t, cache_results> by_cache{};
    std::array<std::uint64_t, groups_max> by_group{};  ///< completed, by Sample::group
    SliceHistogram latency{2};  ///< of completed requests, from the intended start
};

class Timeline {
  public:
    static constexpr std::size_t slices_max = 600;

    explicit Timeline(Duration width);
    /// Merges `slice`, whose index counts slices of the first width.
    void add(const Slice& slice);

    [[nodiscard]] Duration width() const noexcept { return width_; }
    /// From the start on, without gaps; slice i covers [i, i+1) x width().
    [[nodiscard]] std::span<const Slice> slices() const noexcept { return {slices_.data(), used_}; }

  private:
    void halve() noexcept;

    Duration width_;
    std::uint64_t merged_ = 1;   ///< first widths in one of now
    std::vector<Slice> slices_;  ///< slices_max, or none before the first came
    std::size_t used_ = 0;       ///< of them
};

}  // namespace scrollgate::bench
