#include "cache/miss_ratio.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace scrollgate {
namespace {

constexpr std::uint32_t aged_after = 64 * limits::ratio_samples;
constexpr std::uint32_t uses_most = 20'000;  // that are followed between two calls of age()
constexpr std::uint32_t uses_least = uses_most / 16;
constexpr std::size_t samples_least = 16;
constexpr unsigned dropped_most = 8;  // by one use
constexpr std::uint64_t threshold_least = UINT64_MAX >> 20U;

double position_of(double bytes, unsigned steps) noexcept {
    return bytes <= 1 ? 0 : std::log2(bytes) * steps;
}

}  // namespace

MissRatio::MissRatio() : tree_(times + 1, 0), by_time_(times, nullptr) {}

double MissRatio::part() const noexcept {
    return std::ldexp(static_cast<double>(threshold_.load(std::memory_order_relaxed)), -64);
}

std::uint64_t MissRatio::bytes_until(std::uint32_t time) const noexcept {
    std::uint64_t sum = 0;
    for (std::uint32_t i = time + 1; i > 0; i &= i - 1)
        sum += tree_[i];
    return sum;
}

// `by` may stand for less: the sums are modulo 2^64.
void MissRatio::change(std::uint32_t time, std::uint64_t by) noexcept {
    bytes_ += by;
    for (std::uint32_t i = time + 1; i <= times; i += i & (~i + 1))
        tree_[i] += by;
}

// The times that nobody has are taken out.
void MissRatio::renumber() {
    std::fill(tree_.begin(), tree_.end(), 0);
    time_ = 0;
    for (Sample*& at : by_time_) {
        Sample* const sample = std::exchange(at, nullptr);
        if (sample == nullptr) continue;
        by_time_[time_] = sample;
        sample->time = time_++;
        tree_[time_] = sample->bytes;
    }
    for (std::uint32_t i = 1; i <= times; ++i) {
        const std::uint32_t above = i + (i & (~i + 1));
        if (above <= times) tree_[above] += tree_[i];
    }
}

void MissRatio::drop(Samples::iterator sample) {
    change(sample->second.time, ~sample->second.bytes + 1);
    by_time_[sample->second.time] = nullptr;
    samples_.erase(sample);
}

void MissRatio::use(std::uint64_t hash, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (!follows(hash)) return;
    if (time_ == times) renumber();
    const double weight = 1 / part();
    const auto [found, is_new] = samples_.try_emplace(value_of(hash), Sample{time_, bytes});
    sum_ += weight;
    ++since_aged_;
    ++since_looked_;
    if (!is_new) {
        const auto others = static_cast<double>(bytes_ - bytes_until(found->second.time));
        const double distance = others * weight + static_cast<double>(bytes);
        const auto at = static_cast<unsigned>(position_of(distance, steps));
        distances_[std::min(at, scale - 1)] += weight;
        change(found->second.time, ~found->second.bytes + 1);
        by_time_[found->second.time] = nullptr;
        found->second = {time_, bytes};
    }
    by_time_[time_] = &found->second;
    change(time_++, bytes);
    std::uint64_t threshold = threshold_.load(std::memory_order_relaxed);
    if (samples_.size() > limits::ratio_samples)
        threshold = std::min(threshold, samples_.rbegin()->first);
    if (since_looked_ >= uses_most && threshold > threshold_least) {
        since_looked_ = 0;
        threshold /= 2;
    }
    threshold_.store(threshold, std::memory_order_relaxed);
    drop_unfollowed(dropped_most);
}

void MissRatio::drop_unfollowed(unsigned most) {
    const std::uint64_t threshold = threshold_.load(std::memory_order_relaxed);
    while (most-- > 0 && !samples_.empty() && samples_.rbegin()->first >= threshold)
        drop(std::prev(samples_.end()));
}

void MissRatio::forget(std::uint64_t hash) {
    const std::lock_guard lock(mutex_);
    if (const auto found = samples_.find(value_of(hash)); found != samples_.end()) drop(found);
}

double MissRatio::hit_rate(std::uint64_t memory, std::uint64_t uses) const {
    const std::lock_guard lock(mutex_);
    const double all = expected_ + static_cast<double>(uses - aged_at_);
    if (all <= 0) return 0;
    const double end = position_of(static_cast<double>(memory), steps);
    double hits = 0;
    for (unsigned i = 0; i < scale && i < end; ++i)
        hits += distances_[i] * std::min(1.0, end - i);
    // Few keys make most uses, so the sample's luck shows in the number of uses: what is missing
    // or too much belongs to those that are used most, at the shortest distances (section 3.3).
    hits += all - sum_;
    return std::clamp(hits / all, 0.0, 1.0);
}

void MissRatio::age(std::uint64_t uses) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t threshold = threshold_.load(std::memory_order_relaxed);
    if (since_looked_ < uses_least && samples_.size() < samples_least &&
        threshold <= UINT64_MAX / 2)
        threshold_.store(threshold * 2, std::memory_order_relaxed);
    since_looked_ = 0;
    if (since_aged_ < aged_after) return;
    expected_ = (expected_ + static_cast<double>(uses - aged_at_)) / 2;
    aged_at_ = uses;
    since_aged_ = 0;
    sum_ /= 2;
    for (double& count : distances_)
        count /= 2;
}

}  // namespace scrollgate
