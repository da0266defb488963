// Rows of targets for the balancer's tests.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "balancer/policy.hpp"

namespace scrollgate::test {

inline std::shared_ptr<Endpoint> make_endpoint(const std::string& pool, std::uint16_t port,
                                               std::uint32_t weight = 1) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->pool = pool;
    endpoint->address = *SocketAddress::from_ip("10.0.0.1", port);
    endpoint->port = port;
    endpoint->text = endpoint->address.text();
    endpoint->weight = weight;
    endpoint->state = std::make_shared<EndpointState>();
    endpoint->pool_state = std::make_shared<PoolState>();
    return endpoint;
}

/// A row of fresh endpoints with these weights, and a mark for each.
struct Row {
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    std::vector<Target> targets;
    std::unique_ptr<bool[]> tried;

    Row(std::initializer_list<double> weights) : Row(std::vector<double>(weights)) {}
    explicit Row(const std::vector<double>& weights)
        : tried(std::make_unique<bool[]>(weights.size())) {
        for (const double weight : weights) {
            const auto port = static_cast<std::uint16_t>(endpoints.size() + 1);
            endpoints.push_back(make_endpoint("p", port));
            targets.push_back({endpoints.back().get(), weight});
        }
    }
    [[nodiscard]] std::optional<std::size_t> pick(Policy& policy, Rng& rng) const {
        return policy.pick(targets, {tried.get(), targets.size()}, rng);
    }
    [[nodiscard]] std::vector<int> counts(Policy& policy, Rng& rng, int picks) const {
        std::vector<int> result(targets.size());
        for (int i = 0; i < picks; ++i)
            ++result[*pick(policy, rng)];
        return result;
    }
};

}  // namespace scrollgate::test
