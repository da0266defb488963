#include "cache/tier/lease_waits.hpp"

#include <set>
#include <utility>
#include <vector>

#include "core/limits.hpp"

namespace scrollgate::tier {

void LeaseWaits::freed(std::string_view lease) {
    if (size_.load(std::memory_order_acquire) == 0) return;
    const Hash128 digest = hash128(lease);
    std::set<EventLoop*> loops;
    const std::lock_guard lock(mutex_);
    const auto [first, last] = waiting_.equal_range(digest);
    for (auto one = first; one != last; ++one) {
        loops.insert(&one->second->loop_);
        Counts::add(counts_.waits_told);
    }
    for (EventLoop* const loop : loops)
        post_to(*loop, digest);
}

void LeaseWaits::listens(bool on) {
    listening_.store(on, std::memory_order_release);
    if (on) return;
    std::set<EventLoop*> loops;
    const std::lock_guard lock(mutex_);
    for (const auto& [digest, wait] : waiting_)
        loops.insert(&wait->loop_);
    for (EventLoop* const loop : loops)
        post_to(*loop, std::nullopt);
}

// Under mutex_: while somebody waits on it, the loop is there.
void LeaseWaits::post_to(EventLoop& loop, std::optional<Hash128> lease) {
    loop.post([this, &loop, lease] { wake(loop, lease); });
}

void LeaseWaits::wake_all(EventLoop& loop) {
    if (size_.load(std::memory_order_acquire) != 0) wake(loop, std::nullopt);
}

void LeaseWaits::wake(EventLoop& loop, std::optional<Hash128> lease) {
    std::vector<LeaseWait*> ours;  // of this thread: none ends meanwhile
    {
        const std::lock_guard lock(mutex_);
        const auto range =
            lease ? waiting_.equal_range(*lease) : std::pair(waiting_.begin(), waiting_.end());
        for (auto one = range.first; one != range.second; ++one)
            if (&one->second->loop_ == &loop) ours.push_back(one->second);
    }
    for (LeaseWait* const wait : ours)
        wait->woken_();
}

LeaseWait::LeaseWait(LeaseWaits& waits, EventLoop& loop, const Hash128& lease,
                     std::function<void()> woken)
    : waits_(waits), loop_(loop), woken_(std::move(woken)) {
    const std::lock_guard lock(waits_.mutex_);
    if (waits_.waiting_.size() >= limits::tier_waiters) return;
    place_ = waits_.waiting_.emplace(lease, this);
    waits_.size_.store(waits_.waiting_.size(), std::memory_order_release);
}

LeaseWait::~LeaseWait() {
    if (!place_) return;
    const std::lock_guard lock(waits_.mutex_);
    waits_.waiting_.erase(*place_);
    waits_.size_.store(waits_.waiting_.size(), std::memory_order_release);
}

}  // namespace scrollgate::tier
