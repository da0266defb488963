#include "balancer/endpoint.hpp"

#include <algorithm>

#include "balancer/hash.hpp"
namespace scrollgate {

std::shared_ptr<EndpointState> EndpointRegistry::state_of(const std::string& pool,
                                                          const SocketAddress& address,
                                                          bool standby) {
    std::weak_ptr<EndpointState>& known = states_[{pool, address.text()}];
    std::shared_ptr<EndpointState> state = known.lock();
    if (!state) {
        state = std::make_shared<EndpointState>();
        state->tag = hash_text(address.text(), hash_text(pool));
        if (standby) state->standing.store(Standing::standby, std::memory_order_relaxed);
        known = state;
        sweep();
    }
    return state;
}

std::shared_ptr<PoolState> EndpointRegistry::state_of(const std::string& pool) {
    std::weak_ptr<PoolState>& known = pools_[pool];
    std::shared_ptr<PoolState> state = known.lock();
    if (!state) {
        state = std::make_shared<PoolState>();
        known = state;
        sweep();
    }
    return state;
}

/// Names whose addresses keep changing must not make the maps grow for ever.
void EndpointRegistry::sweep() {
    if (states_.size() + pools_.size() < sweep_at_) return;
    const auto forgotten = [](const auto& entry) { return entry.second.expired(); };
    std::erase_if(states_, forgotten);
    std::erase_if(pools_, forgotten);
    sweep_at_ = std::max<std::size_t>(256, 2 * (states_.size() + pools_.size()));
}

}  // namespace scrollgate
