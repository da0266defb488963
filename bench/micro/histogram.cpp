// Micro benchmark: what the load generator pays for counting a latency, and a report for a
// quantile.
#include "bench/load/histogram.hpp"

#include <array>
#include <cmath>

#include <benchmark/benchmark.h>

#include "bench/load/keys.hpp"

namespace scrollgate::bench {
namespace {

/// Latencies between 10 us and 100 ms, more of the small ones.
std::array<Duration, 4096> some_latencies() {
    FastRng rng(1);
    std::array<Duration, 4096> latencies{};
    for (Duration& latency : latencies)
        latency = Duration(static_cast<std::int64_t>(1e4 * std::pow(1e4, uniform(rng))));
    return latencies;
}

void record_latency(benchmark::State& state) {
    const auto latencies = some_latencies();
    Histogram histogram(static_cast<unsigned>(state.range(0)));
    std::size_t at = 0;
    for (auto _ : state)
        histogram.record(latencies[at++ % latencies.size()]);
    benchmark::DoNotOptimize(histogram);
}
BENCHMARK(record_latency)->ArgName("digits")->Arg(2)->Arg(3);

void quantile(benchmark::State& state) {
    Histogram histogram(static_cast<unsigned>(state.range(0)));
    for (const Duration latency : some_latencies())
        histogram.record(latency);
    for (auto _ : state)
        benchmark::DoNotOptimize(histogram.at(0.99));
}
BENCHMARK(quantile)->ArgName("digits")->Arg(2)->Arg(3);

}  // namespace
}  // namespace scrollgate::bench
