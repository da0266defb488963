// Micro benchmark: choosing an endpoint, by policy and by the number of endpoints.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "balancer/lease.hpp"
#include "balancer/levels.hpp"

namespace scrollgate::bench {
namespace {

using Balance = config::Route::Balance;

/// Three clouds of equal weight, as a route of an edge has them.
constexpr const char* clouds[] = {"aws", "gcp", "azure"};

constexpr TimePoint moment{std::chrono::hours(1)};

/// `count` endpoints over all clouds, each with a latency and up to 15 requests in flight.
PoolSets endpoints(std::size_t count, Rng& rng) {
    PoolSets sets;
    for (std::size_t cloud = 0; cloud < std::size(clouds); ++cloud) {
        auto set = std::make_shared<EndpointSet>();
        const auto pool = std::make_shared<PoolState>();
        for (std::size_t i = cloud; i < count; i += std::size(clouds)) {
            auto endpoint = std::make_shared<Endpoint>();
            endpoint->pool = clouds[cloud];
            endpoint->address = *SocketAddress::from_ip(
                fmt::format("10.{}.{}.{}", cloud, i / 250, i % 250 + 1), 8080);
            endpoint->text = endpoint->address.text();
            endpoint->state = std::make_shared<EndpointState>();
            endpoint->state->latency.observe(std::chrono::microseconds(1000 + rng.below(20'000)),
                                             moment);
            endpoint->state->in_flight = static_cast<std::uint32_t>(rng.below(16));
            endpoint->pool_state = pool;
            set->push_back(std::move(endpoint));
        }
        sets[clouds[cloud]] = std::move(set);
    }
    return sets;
}

config::Route route_over_clouds(Balance balance) {
    config::Route route;
    for (const char* cloud : clouds)
        route.pools.push_back({cloud, 1, 0, {}});
    route.balance = balance;
    return route;
}

/// The first attempt of a request, with the lease that is taken on what was picked.
void pick(benchmark::State& state, Balance balance) {
    FastRng rng(1);
    RouteBalancer balancer(route_over_clouds(balance));
    balancer.update(endpoints(static_cast<std::size_t>(state.range(0)), rng));
    for (auto _ : state) {
        const PickRequest request{.hash = rng.next(), .now = moment};
        const Endpoint* const endpoint = balancer.pick(request, rng);
        if (endpoint == nullptr) {
            state.SkipWithError("nothing was picked");
            break;
        }
        benchmark::DoNotOptimize(Lease::try_acquire(*endpoint));
    }
}

/// A health verdict has changed: all weights are made anew before the pick.
void reweigh(benchmark::State& state, Balance balance) {
    FastRng rng(1);
    RouteBalancer balancer(route_over_clouds(balance));
    const PoolSets sets = endpoints(static_cast<std::size_t>(state.range(0)), rng);
    balancer.update(sets);
    const Endpoint& changed = *sets.begin()->second->front();
    for (auto _ : state) {
        changed.state->score = static_cast<float>(unit_interval(rng));
        ++changed.pool_state->epoch;
        benchmark::DoNotOptimize(balancer.pick({.hash = 1, .now = moment}, rng));
    }
}

void sizes(benchmark::internal::Benchmark* of) {
    of->ArgName("endpoints")->Arg(3)->Arg(100)->Arg(1'000)->Arg(10'000);
}
BENCHMARK_CAPTURE(pick, adaptive, Balance::adaptive)->Apply(sizes);
BENCHMARK_CAPTURE(pick, round_robin, Balance::round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_requests, Balance::least_requests)->Apply(sizes);
BENCHMARK_CAPTURE(pick, random, Balance::random)->Apply(sizes);
BENCHMARK_CAPTURE(pick, consistent_hash, Balance::consistent_hash)->Apply(sizes);
BENCHMARK_CAPTURE(reweigh, adaptive, Balance::adaptive)->Apply(sizes);
BENCHMARK_CAPTURE(reweigh, round_robin, Balance::round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(reweigh, consistent_hash, Balance::consistent_hash)->Apply(sizes);

}  // namespace
}  // namespace scrollgate::bench
