// Micro benchmark: the timer wheel, as it is used for deadlines that hardly ever come.
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/rng.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t frequency = 528;
constexpr TimePoint base{1000s};

struct Timer final : TimerWheel::Timer {
    void expired() noexcept override {}
};

/// Connections that each have a deadline within the next 75 s.
struct Crowd {
    explicit Crowd(std::size_t count) : timers(count) {
        for (Timer& timer : timers)
            wheel.arm(timer, some_time());
    }
    TimePoint some_time() { return base + std::chrono::milliseconds(rng.below(75'000)); }

    FastRng rng{1};
    TimerWheel wheel{frequency, base};
    std::vector<Timer> timers;
};

void arm_and_cancel(benchmark::State& state) {
    Crowd crowd(static_cast<std::size_t>(state.range(0)));
    Timer timer;
    TimePoint when = base + 1s;
    for (auto _ : state) {
        benchmark::DoNotOptimize(when);
        crowd.wheel.arm(timer, when);
        timer.disarm();
    }
}
BENCHMARK(arm_and_cancel)->ArgName("timers")->Arg(0)->Arg(10'000);

/// A connection after the other gets a new deadline.
void move_timer(benchmark::State& state) {
    Crowd crowd(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state)
        crowd.wheel.arm(crowd.timers[crowd.rng.below(crowd.timers.size())], crowd.some_time());
}
BENCHMARK(move_timer)->ArgName("timers")->Arg(100)->Arg(10'000);

/// All of them come, turn by turn; per timer.
void expire(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        state.PauseTiming();
        auto crowd = std::make_unique<Crowd>(count);
        state.ResumeTiming();
        while (crowd->wheel.next() != never)
            crowd->wheel.turn(crowd->wheel.next());
        state.PauseTiming();
        crowd.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(expire)->ArgName("timers")->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace scrollgate::bench
