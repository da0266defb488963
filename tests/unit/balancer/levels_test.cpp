// Weights over pools, levels by priority, attempts that never repeat, and who keeps what alive.
#include "balancer/levels.hpp"

#include <array>
#include <map>

#include <doctest/doctest.h>

#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using Balance = config::Route::Balance;

namespace {

constexpr std::array policies{Balance::adaptive, Balance::round_robin, Balance::least_requests,
                              Balance::random, Balance::consistent_hash};

config::Route route_over(std::vector<config::RoutePool> pools,
                         Balance balance = Balance::round_robin) {
    config::Route route;
    route.pools = std::move(pools);
    route.balance = balance;
    return route;
}

}  // namespace

TEST_CASE("picks follow the pools' weights exactly under round robin") {
    RouteBalancer balancer(route_over({{"aws", 3, 0}, {"gcp", 1, 0}}));
    balancer.update({{"aws", set_of("aws", {1, 1, 1})}, {"gcp", set_of("gcp", {1, 3})}});
    FastRng rng(1);
    std::map<std::string, int> counts;
    for (int i = 0; i < 1600; ++i) {
        const Endpoint* endpoint = balancer.pick({}, rng);
        ++counts[endpoint->pool + "/" + std::to_string(endpoint->port)];
    }
    CHECK(counts ==
          std::map<std::string, int>{
              {"aws/1", 400}, {"aws/2", 400}, {"aws/3", 400}, {"gcp/1", 100}, {"gcp/2", 300}});
}

TEST_CASE("attempts use a level up before the next, without repeating, then end") {
    for (const Balance balance : policies) {
        RouteBalancer balancer(route_over({{"far", 1, 1}, {"near", 1, 0}}, balance));
        balancer.update({{"near", set_of("near", {1, 1})}, {"far", set_of("far", {1})}});
        FastRng rng(2);
        for (int round = 0; round < 50; ++round) {
            std::vector<const Endpoint*> tried;
            for (const char* pool : {"near", "near", "far"}) {
                const Endpoint* endpoint = balancer.pick({.tried = tried}, rng);
                REQUIRE(endpoint != nullptr);
                CHECK(endpoint->pool == pool);
                for (const Endpoint* earlier : tried)
                    CHECK(earlier != endpoint);
                tried.push_back(endpoint);
            }
            CHECK(balancer.pick({.tried = tried}, rng) == nullptr);
        }
    }
}

TEST_CASE("without targets there is nothing to pick") {
    FastRng rng(1);
    RouteBalancer balancer(route_over({{"a", 1, 0}}));
    CHECK(balancer.pick({}, rng) == nullptr);
    CHECK(balancer.targets()->empty());
    balancer.update({{"a", set_of("a", {})}});
    CHECK(balancer.pick({}, rng) == nullptr);
    RouteBalancer without_pools(route_over({}));
    CHECK(without_pools.pick({}, rng) == nullptr);
}

TEST_CASE("an endpoint tried before an update is still known as tried after it") {
    RouteBalancer balancer(route_over({{"a", 1, 0}}));
    const auto before = set_of("a", {1, 1});
    balancer.update({{"a", before}});
    FastRng rng(1);
    const auto held = balancer.targets();
    const Endpoint* first = balancer.pick({}, rng);

    auto after = std::make_shared<EndpointSet>();  // the same identities as new objects
    for (const auto& endpoint : *before)
        after->push_back(std::make_shared<Endpoint>(*endpoint));
    balancer.update({{"a", after}});
    std::vector<const Endpoint*> tried{first};
    const Endpoint* second = balancer.pick({.tried = tried}, rng);
    REQUIRE(second != nullptr);
    CHECK(second->port != first->port);
    tried.push_back(second);
    CHECK(balancer.pick({.tried = tried}, rng) == nullptr);
}

TEST_CASE("what was picked lives as long as the targets are held") {
    RouteBalancer balancer(route_over({{"a", 1, 0}}));
    balancer.update({{"a", set_of("a", {1})}});
    FastRng rng(1);
    auto held = balancer.targets();
    const Endpoint* endpoint = balancer.pick({}, rng);
    const std::weak_ptr<EndpointState> state = endpoint->state;
    balancer.update({});
    CHECK(endpoint->pool == "a");
    CHECK_FALSE(state.expired());
    held.reset();
    balancer.update({});
    // The round robin's account of the row before is gone, too.
    CHECK(state.expired());
}
