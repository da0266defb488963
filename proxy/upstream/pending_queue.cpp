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

Task<void> PendingQueue::wait(TimedGate& gate, TimePoint until) {
    waiting_.push_back(&gate);
    gate.limit(std::min(until, loop_.now() + limits::pending_look));
    co_await gate.passed();
    std::erase(waiting_, &gate);
}

void PendingQueue::wake_one() {
    for (TimedGate* const gate : waiting_) {
        if (gate->settled()) continue;  // looks anyway
        gate->open();
        return;
    }
}

}  // namespace scrollgate
