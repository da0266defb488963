#include "bench/load/timeline.hpp"

#include <algorithm>

namespace scrollgate::bench {

void StatusCounts::add(std::uint16_t status, std::uint64_t count) {
    for (Entry& entry : entries_) {
        if (entry.first != status) continue;
        entry.second += count;
        return;
    }
    if (status == 0 || entries_.size() < most) {
        entries_.emplace_back(status, count);
    } else {
        add(0, count);
    }
}

std::vector<StatusCounts::Entry> StatusCounts::sorted() const {
    std::vector<Entry> sorted = entries_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

void Slice::count(const Sample& sample) {
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
    if (by_group.size() <= sample.group) by_group.resize(sample.group + 1U);
    ++by_group[sample.group];
    latency.record(sample.done - sample.intended);
}

void Slice::add(const Slice& other) {
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
    by_group.resize(std::max(by_group.size(), other.by_group.size()));
    for (std::size_t i = 0; i < other.by_group.size(); ++i)
        by_group[i] += other.by_group[i];
    latency.add(other.latency);
}

Timeline::Timeline(Duration width) : width_(width) {}

void Timeline::add(const Slice& slice) {
    while (slice.index / merged_ >= slices_max)
        halve();
    const std::uint64_t index = slice.index / merged_;
    while (slices_.size() <= index) {
        slices_.emplace_back();
        slices_.back().index = slices_.size() - 1;
    }
    slices_[index].add(slice);
}

void Timeline::halve() {
    std::vector<Slice> halved((slices_.size() + 1) / 2);
    for (std::size_t i = 0; i < slices_.size(); ++i)
        halved[i / 2].add(slices_[i]);
    for (std::size_t i = 0; i < halved.size(); ++i)
        halved[i].index = i;
    slices_ = std::move(halved);
    width_ *= 2;
    merged_ *= 2;
}

}  // namespace scrollgate::bench
