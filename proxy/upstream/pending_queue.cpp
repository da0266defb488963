#include "proxy/upstream/pending_queue.hpp"

#include <algorithm>

#include "balancer/lease.hpp"
#include "core/limits.hpp"

namespace scrollgate {

PendingQueue::Place::~Place() {
    if (pool_) detail::count_down(pool_->pending);
}

bool PendingQueue::Place::take(const Endpoint& endpoint) noexcept {
    if (pool_) return true;
    if (!detail::count_up(endpoint.pool_state->pending, endpoint.limits.pending)) return false;
    pool_ = endpoint.pool_state;
    return true;
}

Task<void> PendingQueue::wait(Place& place, TimedGate& gate, TimePoint until) {
    if (place.turn_ == 0) place.turn_ = ++last_turn_;
    const auto behind = std::ranges::upper_bound(waiting_, place.turn_, {}, &Waiting::turn);
    waiting_.insert(behind, {place.turn_, place.pool_.get(), &gate});
    gate.limit(std::min(until, loop_.now() + limits::pending_look));
    co_await gate.passed();
    std::erase_if(waiting_, [&gate](const Waiting& one) { return one.gate == &gate; });
}

bool PendingQueue::wake_one(const PoolState& pool) {
    TimedGate* first = nullptr;
    for (const Waiting& one : waiting_) {
        if (one.gate->settled()) continue;  // looks anyway
        if (first == nullptr || one.pool == &pool) first = one.gate;
        if (one.pool == &pool) break;
    }
    if (first != nullptr) first->open();
    return first != nullptr;
}

}  // namespace scrollgate
