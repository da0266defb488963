// Weights over pools, levels by priority, attempts that never repeat, and who keeps what alive.
#include "balancer/levels.hpp"

#include <map>

#include <doctest/doctest.h>

#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using Balance = config::Route::Balance;

namespace {

std::shared_ptr<const EndpointSet> set_of(const std::string& pool,
                                          const std::vector<std::uint32_t>& weights) {
    auto set = std::make_shared<EndpointSet>();
    for (const std::uint32_t weight : weights) {
        const auto port = static_cast<std::uint16_t>(set->size() + 1);
        set->push_back(make_endpoint(pool, port, weight));
    }
    return set;
}

config::Route route_over(std::vector<config::RoutePool> pools,
                         Balance balance = Balance::round_robin) {
    config::Route route;
    route.pools = std::move(pools);
    route.balance = balance;
    return route;
}

}  // namespace

TEST_CASE("a pool's weight is shared by its endpoints, so it does not grow with the pool") {
    const PoolSets sets{{"one", set_of("one", {7})}, {"many", set_of("many", {1, 2, 1})}};
    const RouteTargets targets({{"one", 3, 0}, {"many", 2, 0}}, sets);
    REQUIRE(targets.levels() == 1);
    const auto level = targets.level(0);
    REQUIRE(level.size() == 4);
    CHECK(level[0].weight == doctest::Approx(3));
    CHECK(level[1].weight == doctest::Approx(0.5));
    CHECK(level[2].weight == doctest::Approx(1));
    CHECK(level[3].weight == doctest::Approx(0.5));
}

TEST_CASE("levels follow the priorities and stay when a pool has no endpoints") {
    const std::vector<config::RoutePool> pools{{"b", 1, 5}, {"a", 1, 0}, {"c", 1, 5}};
    const RouteTargets none(pools, {});
    CHECK(none.levels() == 2);
    CHECK(none.empty());
    CHECK(none.level(0).empty());

    const PoolSets sets{{"b", set_of("b", {1})}, {"c", set_of("c", {1})}, {"a", nullptr}};
    const RouteTargets targets(pools, sets);
    CHECK(targets.level(0).empty());
    REQUIRE(targets.level(1).size() == 2);
    CHECK(targets.level(1)[0].endpoint->pool == "b");
    CHECK(targets.level(1)[1].endpoint->pool == "c");
    CHECK(targets.size() == 2);
}

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
    for (const Balance balance : {Balance::round_robin, Balance::least_requests, Balance::random}) {
        RouteBalancer balancer(route_over({{"far", 1, 1}, {"near", 1, 0}}, balance));
        balancer.update({{"near", set_of("near", {1, 1})}, {"far", set_of("far", {1})}});
        FastRng rng(2);
        for (int round = 0; round < 50; ++round) {
            std::vector<const Endpoint*> tried;
            for (const char* pool : {"near", "near", "far"}) {
                const Endpoint* endpoint = balancer.pick(tried, rng);
                REQUIRE(endpoint != nullptr);
                CHECK(endpoint->pool == pool);
                for (const Endpoint* earlier : tried)
                    CHECK(earlier != endpoint);
                tried.push_back(endpoint);
            }
            CHECK(balancer.pick(tried, rng) == nullptr);
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
    const Endpoint* second = balancer.pick(std::vector{first}, rng);
    REQUIRE(second != nullptr);
    CHECK(second->port != first->port);
    CHECK(balancer.pick(std::vector{first, second}, rng) == nullptr);
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
