#include "bench/load/shared_timeline.hpp"

#include <algorithm>
#include <utility>

namespace scrollgate::bench {
namespace {

/// The slice of this moment and the one before: workers hand a slice over within the next.
constexpr std::uint64_t still_filled = 2;

std::uint64_t slices_in_a_second(Duration width) {
    return static_cast<std::uint64_t>(
        std::max<Duration::rep>(1, Duration(std::chrono::seconds(1)) / width));
}

}  // namespace

SharedTimeline::SharedTimeline(Duration width)
    : width_(width), timeline_(width), ring_(slices_in_a_second(width) + still_filled) {}

void SharedTimeline::add(const Slice& slice) {
    const std::lock_guard lock(mutex_);
    timeline_.add(slice);
    total_.add(slice);
    Slice& place = ring_[slice.index % ring_.size()];
    if (slice.index < place.index) return;
    if (slice.index > place.index) {
        place.clear();
        place.index = slice.index;
    }
    place.add(slice);
}

Timeline SharedTimeline::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(timeline_, Timeline(width_));
}

Slice SharedTimeline::total() const {
    const std::lock_guard lock(mutex_);
    return total_;
}

Stretch SharedTimeline::recent(Duration elapsed) const {
    const auto now = static_cast<std::uint64_t>(elapsed / width_);
    const std::lock_guard lock(mutex_);
    if (now < still_filled) return {total_, elapsed};
    const std::uint64_t end = now + 1 - still_filled;
    const std::uint64_t begin = end - std::min(end, slices_in_a_second(width_));
    Stretch stretch{{}, width_ * static_cast<Duration::rep>(end - begin)};
    for (const Slice& slice : ring_)
        if (slice.index >= begin && slice.index < end) stretch.sum.add(slice);
    return stretch;
}

}  // namespace scrollgate::bench
