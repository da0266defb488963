#include "bench/load/timeline.hpp"

#include <algorithm>

namespace scrollgate::bench {

void StatusCounts::add(std::uint16_t status, std::uint64_t count) noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
        if (entries_[i].first != status) continue;
        entries_[i].second += count;
        return;
    }
    if (status == 0 || used_ < most) {
        entries_[used_++] = {status, count};
    } else {
        add(0, count);
    }
}

std::vector<StatusCounts::Entry> StatusCounts::sorted() const {
    std::vector<Entry> sorted(entries().begin(), entries().end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

void Slice::count(const Sample& sample) noexcept {
    if (sample.failure) {
        ++failed;
        ++by_failure[static_cast<std::size_t>(*sample.failure)];
    }
    bytes_in += sample.bytes_in;
    const std::size_t status_class =
        sample.complete() ? std::min<std::size_t>(sample.status / 100U, 5) : 0;
    ++by_class[status_class];
    if (!sample.complete()) return;
    ++completed;
    by_status.add(sample.status, 1);
    ++by_cache[static_cast<std::size_t>(sample.cache)];
    ++by_group[std::min<std::size_t>(sample.group, groups_max - 1)];
    latency.record(sample.done - sample.intended);
}

void Slice::add(const Slice& other) noexcept {
    completed += other.completed;
    failed += other.failed;
    bytes_in += other.bytes_in;
    for (std::size_t i = 0; i < by_class.size(); ++i)
        by_class[i] += other.by_class[i];
    for (const auto& [status, count] : other.by_status.entries())
        by_status.add(status, count);
    for (std::size_t i = 0; i < by_failure.size(); ++i)
        by_failure[i] += other.by_failure[i];
    for (std::size_t i = 0; i < by_cache.size(); ++i)
        by_cache[i] += other.by_cache[i];
    for (std::size_t i = 0; i < by_group.size(); ++i)
        by_group[i] += other.by_group[i];
    latency.add(other.latency);
}

void Slice::clear() noexcept {
    completed = failed = bytes_in = 0;
    by_class = {};
    by_status = {};
    by_failure = {};
    by_cache = {};
    by_group = {};
    latency.clear();
}

Timeline::Timeline(Duration width) : width_(width) {}

void Timeline::add(const Slice& slice) {
    if (slices_.empty()) {
        slices_.resize(slices_max);
        for (std::size_t i = 0; i < slices_.size(); ++i)
            slices_[i].index = i;
    }
    while (slice.index / merged_ >= slices_max)
        halve();
    const std::uint64_t index = slice.index / merged_;
    used_ = std::max<std::size_t>(used_, index + 1);
    slices_[index].add(slice);
}

void Timeline::halve() noexcept {
    for (std::size_t i = 1; i < used_; ++i) {  // the first is where it goes
        Slice& to = slices_[i / 2];
        if (i % 2 == 0) to.clear();
        to.add(slices_[i]);
    }
    used_ = (used_ + 1) / 2;
    for (std::size_t i = used_; i < slices_.size(); ++i)
        slices_[i].clear();
    width_ *= 2;
    merged_ *= 2;
}

}  // namespace scrollgate::bench
