// Micro benchmark: finding the route of a request, by the number of routes.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/rng.hpp"
#include "proxy/routing/router.hpp"

namespace scrollgate::bench {
namespace {

/// Ten paths on each host; every tenth host is a wildcard.
config::Route nth_route(std::size_t number) {
    const std::size_t host = number / 10;
    config::Route route;
    route.name = fmt::format("route-{}", number);
    route.match.host = fmt::format("{}{}.example.com", host % 10 == 9 ? "*." : "", host);
    route.match.path_prefix = fmt::format("/api/v1/section-{}", number % 10);
    return route;
}

struct Wanted {
    std::string host, path;
};

/// A path below route `number`.
Wanted request_for(std::size_t number) {
    const std::size_t host = number / 10;
    return {fmt::format("{}{}.example.com", host % 10 == 9 ? "shop." : "", host),
            fmt::format("/api/v1/section-{}/items/1205", number % 10)};
}

void find_route(benchmark::State& state, bool there) {
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<config::Route> routes;
    for (std::size_t i = 0; i < count; ++i)
        routes.push_back(nth_route(i));
    const Router router(routes);
    FastRng rng(1);
    std::vector<Wanted> wanted;
    for (std::size_t i = 0; i < 1024; ++i) {
        wanted.push_back(request_for(rng.below(count)));
        if (!there) wanted.back().path = "/api/v2";
    }
    RequestHead head;
    head.method_text = "GET";
    std::size_t at = 0;
    for (auto _ : state) {
        const Wanted& next = wanted[at++ % wanted.size()];
        head.authority = next.host;
        const auto found = router.find("plain", next.path, head);
        if (found.has_value() != there) state.SkipWithError("another route was found");
    }
}
BENCHMARK_CAPTURE(find_route, hit, true)->ArgName("routes")->RangeMultiplier(10)->Range(1, 10'000);
BENCHMARK_CAPTURE(find_route, miss, false)
    ->ArgName("routes")
    ->RangeMultiplier(10)
    ->Range(1, 10'000);

}  // namespace
}  // namespace scrollgate::bench
