// Endpoint: one resolved address of one pool. EndpointSet: all of a pool's, immutable, swapped
// whole.
//
// Identity is (pool, resolved address). What is measured about an identity lives in its
// EndpointState, which outlives reloads and set changes; the registry hands out the same state for
// the same identity. Endpoints and sets are made on the control thread and then only read; the
// state is relaxed atomics, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balancer/endpoint_state.hpp"
#include "config/model.hpp"
#include "core/net/address.hpp"
#include "core/net/dialer.hpp"

namespace scrollgate {

struct Endpoint {
    std::string pool, provider, region, zone;
    std::string name;  ///< host as configured: what `host: endpoint` sends
    std::uint16_t port = 0;
    SocketAddress address;
    std::string text;  ///< address.text(), for logs
    std::uint32_t weight = 1;
    bool standby = false;       ///< configured so: in service only when scaled in
    config::PoolLimits limits;  ///< of its pool
    std::shared_ptr<EndpointState> state;
    std::shared_ptr<PoolState> pool_state;
    std::shared_ptr<const TlsTarget> tls{};  ///< null: plain
    config::Pool::ProxyProtocol proxy_protocol = config::Pool::ProxyProtocol::off;
    config::Pool::Protocol protocol = config::Pool::Protocol::http1;
    std::shared_ptr<const TlsTarget> tls_http1{};  ///< if `tls` offers HTTP/2, too: without it
};

using EndpointSet = std::vector<std::shared_ptr<const Endpoint>>;
/// Every pool's current set, by the pool's name.
using PoolSets = std::map<std::string, std::shared_ptr<const EndpointSet>>;

/// Gives the same state for the same identity as long as somebody holds it. Control thread only.
class EndpointRegistry {
  public:
    /// `standby`: one that is new here begins out of service.
    [[nodiscard]] std::shared_ptr<EndpointState> state_of(const std::string& pool,
                                                          const SocketAddress& address,
                                                          bool standby = false);
    [[nodiscard]] std::shared_ptr<PoolState> state_of(const std::string& pool);

  private:
    void sweep();

    std::map<std::pair<std::string, std::string>, std::weak_ptr<EndpointState>> states_;
    std::map<std::string, std::weak_ptr<PoolState>> pools_;
    std::size_t sweep_at_ = 256;  ///< entries; those that nobody holds are dropped then
};

}  // namespace scrollgate
