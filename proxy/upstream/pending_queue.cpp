#include "proxy/upstream/pending_queue.hpp"

#include <algorithm>

#include "balancer/lease.hpp"
#include "core/limits.hpp"

namespace scrollgate {

PendingQueue::Place::~Place() {
    for (const Pool& pool : pools_)
        if (pool.counted) detail::count_down(pool.state->pending);
}

bool PendingQueue::Place::take(std::span<const Endpoint* const> full, bool counts) {
    for (const Endpoint* const endpoint : full) {
        if (waits_for(*endpoint->pool_state)) continue;
        if (counts && !detail::count_up(endpoint->pool_state->pending, endpoint->limits.pending))
            continue;
        pools_.push_back({endpoint->pool_state, counts});
    }
    return !pools_.empty();
}

bool PendingQueue::Place::waits_for(const PoolState& pool) const noexcept {
    return std::ranges::any_of(pools_, [&](const Pool& one) { return one.state.get() == &pool; });
}

Task<void> PendingQueue::wait(Place& place, TimedGate& gate, TimePoint until) {
    if (place.turn_ == 0) place.turn_ = ++last_turn_;
    const auto behind = std::ranges::upper_bound(waiting_, place.turn_, {}, &Waiting::turn);
    waiting_.insert(behind, {place.turn_, &place, &gate});
    gate.limit(std::min(until, loop_.now() + limits::pending_look));
    co_await gate.passed();
    std::erase_if(waiting_, [&gate](const Waiting& one) { return one.gate == &gate; });
}

bool PendingQueue::wake_one(const PoolState& pool) {
    const auto first = std::ranges::find_if(waiting_, [&](const Waiting& one) {
        return !one.gate->settled() && one.place->waits_for(pool);  // who is settled looks anyway
    });
    if (first == waiting_.end()) return false;
    first->gate->open();
    return true;
}

std::size_t PendingQueue::waiting_for(const PoolState& pool) const noexcept {
    const auto waits = [&](const Waiting& one) { return one.place->waits_for(pool); };
    return static_cast<std::size_t>(std::ranges::count_if(waiting_, waits));
}

bool PendingQueue::is_first(const Place& place, const PoolState& pool) const noexcept {
    const auto first = std::ranges::find_if(
        waiting_, [&](const Waiting& one) { return one.place->waits_for(pool); });
    return first == waiting_.end() || place.turn_ <= first->turn;
}

}  // namespace scrollgate
