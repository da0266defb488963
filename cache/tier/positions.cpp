#include "cache/tier/positions.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate::tier {

Positions::~Positions() {
    if (held_) store_.fill_ended(*held_);
}

std::optional<std::uint64_t> Positions::number_at(Position position) const {
    const std::lock_guard lock(mutex_);
    if (known_.empty() || position < known_.front().first || position > known_.back().first)
        return std::nullopt;
    const auto after = std::upper_bound(known_.begin(), known_.end(), position,
                                        [](Position p, const auto& one) { return p < one.first; });
    const std::uint64_t number = std::prev(after)->second;
    return own_.empty() ? number : std::min(number, *own_.begin());
}

std::uint64_t Positions::own_began() {
    const std::lock_guard lock(mutex_);
    return *own_.insert(store_.purge_position());
}

void Positions::own_ended(std::uint64_t since) {
    const std::lock_guard lock(mutex_);
    if (const auto found = own_.find(since); found != own_.end()) own_.erase(found);
}

std::size_t Positions::own_under_way() const {
    const std::lock_guard lock(mutex_);
    return own_.size();
}

std::int64_t Positions::redis_ms(WallTime now) const noexcept {
    const auto ours = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    return ours.count() + ahead_ms_.load(std::memory_order_relaxed);
}

// To the store it is a fill that never ends.
void Positions::hold(std::uint64_t number) {
    store_.fill_began(number);
    if (held_) store_.fill_ended(*held_);
    held_ = number;
}

void Positions::begin() {
    in_step_until({});
    followed_.store(0, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    known_.clear();
    const std::uint64_t number = store_.purge_position();
    hold(own_.empty() ? number : std::min(number, *own_.begin()));
}

void Positions::step(Position position, std::uint64_t number) {
    {
        const std::lock_guard lock(mutex_);
        // Own purges that the log tells later may have lower numbers than what it tells now.
        if (!own_.empty()) number = std::min(number, *own_.begin());
        known_.emplace_back(position, number);
        if (known_.size() > limits::tier_positions) {
            // A quarter at a time: what was written before then is a miss from now on.
            known_.erase(known_.begin(), known_.begin() + limits::tier_positions / 4);
            hold(known_.front().second);
        }
    }
    followed_.store(position, std::memory_order_release);
}

}  // namespace scrollgate::tier
