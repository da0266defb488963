#include "balancer/endpoint.hpp"

namespace scrollgate {

std::shared_ptr<EndpointState> EndpointRegistry::state_of(const std::string& pool,
                                                          const SocketAddress& address) {
    std::weak_ptr<EndpointState>& known = states_[{pool, address.text()}];
    std::shared_ptr<EndpointState> state = known.lock();
    if (!state) {
        state = std::make_shared<EndpointState>();
        known = state;
    }
    return state;
}

}  // namespace scrollgate
