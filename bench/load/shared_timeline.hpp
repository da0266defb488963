// SharedTimeline: the timeline of a run that goes on, shared by its workers and whoever watches.
//
// Watching costs little, however long the run: sums are kept as slices come, so that nobody copies
// hundreds of histograms while workers wait. Any thread.
#pragma once

#include <mutex>
#include <vector>

#include "bench/load/timeline.hpp"

namespace scrollgate::bench {

/// Some slices in one.
struct Stretch {
    Slice sum;  ///< without an index
    Duration length{};
};

class SharedTimeline {
  public:
    explicit SharedTimeline(Duration width);
    /// Of the slices that workers count in.
    [[nodiscard]] Duration width() const noexcept { return width_; }
    void add(const Slice& slice);

    /// The whole timeline, at the end of a run: nothing is left here.
    [[nodiscard]] Timeline take();
    /// Everything so far.
    [[nodiscard]] Slice total() const;
    /// About the last second before `elapsed`, without the slices that may still be filled; in the
    /// beginning all there is.
    [[nodiscard]] Stretch recent(Duration elapsed) const;

  private:
    const Duration width_;
    mutable std::mutex mutex_;
    Timeline timeline_;
    Slice total_;
    std::vector<Slice> ring_;  ///< the newest slices, each at its index modulo the size
};

}  // namespace scrollgate::bench
