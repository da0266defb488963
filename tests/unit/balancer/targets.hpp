// Rows of targets for the balancer's tests.
#pragma once

#include <array>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balancer/policy.hpp"
#include "config/model.hpp"

namespace scrollgate::test {

using Balance = config::Route::Balance;

inline constexpr std::array policies{Balance::adaptive, Balance::round_robin,
                                     Balance::least_requests, Balance::random,
                                     Balance::consistent_hash};

inline config::Route route_over(std::vector<config::RoutePool> pools,
                                Balance balance = Balance::round_robin) {
    config::Route route;
    route.pools = std::move(pools);
    route.balance = balance;
    return route;
}

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

/// A pool's endpoints at ports 1, 2, …, with these weights, and one PoolState.
inline std::shared_ptr<EndpointSet> set_of(const std::string& pool,
                                           const std::vector<std::uint32_t>& weights) {
    auto set = std::make_shared<EndpointSet>();
    const auto state = std::make_shared<PoolState>();
    for (const std::uint32_t weight : weights) {
        auto endpoint = make_endpoint(pool, static_cast<std::uint16_t>(set->size() + 1), weight);
        endpoint->pool_state = state;
        set->push_back(std::move(endpoint));
    }
    return set;
}

inline void set_standing(const Endpoint& endpoint, Standing standing) {
    endpoint.state->standing = standing;
    ++endpoint.pool_state->epoch;
}

inline void set_score(const Endpoint& endpoint, float score) {
    endpoint.state->score = score;
    ++endpoint.pool_state->epoch;
}

/// Whether a count is within 5 standard deviations of a fair draw.
inline bool fair(int count, int picks, double probability) {
    const double sigma = std::sqrt(picks * probability * (1 - probability));
    return std::abs(count - picks * probability) <= 5 * sigma;
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
            targets.push_back(
                {.endpoint = endpoints.back().get(), .weight = weight, .base = weight});
        }
    }
    [[nodiscard]] std::optional<std::size_t> pick(Policy& policy, Rng& rng,
                                                  const PickRequest& request = {}) const {
        return policy.pick(targets, {tried.get(), targets.size()}, request, rng);
    }
    [[nodiscard]] std::vector<int> counts(Policy& policy, Rng& rng, int picks) const {
        std::vector<int> result(targets.size());
        for (int i = 0; i < picks; ++i)
            ++result[*pick(policy, rng)];
        return result;
    }
};

}  // namespace scrollgate::test
