// Endpoint: one resolved address of one pool. EndpointSet: all of a pool's, immutable, swapped whole.
//
// Identity is (pool, resolved address). What is measured about an identity lives in its
// EndpointState, which outlives reloads and set changes; the registry hands out the same state for
// the same identity. Endpoints and sets are made on the control thread and then only read; the
// state is relaxed atomics, any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/net/address.hpp"

namespace scrollgate {

/// Shared by all workers; one cache line, so that two endpoints never contend.
struct alignas(64) EndpointState {
    std::atomic<std::uint32_t> in_flight{0};     ///< leases out
    std::atomic<std::uint32_t> connections{0};   ///< open upstream connections
    std::atomic<std::uint64_t> requests{0};      ///< attempts that were given a lease
    std::atomic<std::uint64_t> failures{0};      ///< attempts that ended in an error against it
    std::atomic<std::uint64_t> retries{0};       ///< attempts after the first of their exchange
};

struct Endpoint {
    std::string pool, provider, region, zone;
    std::string name;              ///< host as configured: what `host: endpoint` sends
    std::uint16_t port = 0;
    SocketAddress address;
    std::string text;              ///< address.text(), for logs
    std::uint32_t weight = 1;
    std::shared_ptr<EndpointState> state;
};

using EndpointSet = std::vector<std::shared_ptr<const Endpoint>>;

/// Gives the same state for the same identity as long as somebody holds it. Control thread only.
class EndpointRegistry {
  public:
    [[nodiscard]] std::shared_ptr<EndpointState> state_of(const std::string& pool,
                                                          const SocketAddress& address);

  private:
    std::map<std::pair<std::string, std::string>, std::weak_ptr<EndpointState>> states_;
};

}  // namespace scrollgate
