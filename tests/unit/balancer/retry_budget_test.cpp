// The retry budget on a manual clock, and shared by threads.
#include "balancer/retry_budget.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

int take_all(RetryBudget& budget, TimePoint now) {
    int taken = 0;
    while (budget.take(now))
        ++taken;
    return taken;
}

}  // namespace

TEST_CASE("a budget begins full, and is empty after its burst") {
    ManualClock clock;
    RetryBudget budget(0.2);
    CHECK(budget.left(clock.now()) == doctest::Approx(limits::retry_budget_burst));
    CHECK(take_all(budget, clock.now()) == 100);
    CHECK(budget.left(clock.now()) == 0);
    CHECK_FALSE(budget.take(clock.now()));
}

TEST_CASE("requests deposit their share") {
    ManualClock clock;
    RetryBudget budget(0.2);
    CHECK(take_all(budget, clock.now()) == 100);
    for (int i = 0; i < 4; ++i)
        budget.deposit();
    CHECK_FALSE(budget.take(clock.now()));
    CHECK(budget.left(clock.now()) == doctest::Approx(0.8));
    budget.deposit();
    CHECK(budget.take(clock.now()));
    for (int i = 0; i < 300; ++i)
        budget.deposit();
    CHECK(take_all(budget, clock.now()) == 60);
}

TEST_CASE("time deposits the floor, and not more than the burst") {
    ManualClock clock;
    RetryBudget budget(0);
    CHECK(take_all(budget, clock.now()) == 100);
    budget.deposit();
    clock.advance(99ms);
    CHECK_FALSE(budget.take(clock.now()));
    clock.advance(1ms);
    CHECK(budget.left(clock.now()) == doctest::Approx(1));
    CHECK(budget.take(clock.now()));
    CHECK_FALSE(budget.take(clock.now()));
    // Looked at every microsecond, the floor is still all of it.
    int taken = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        clock.advance(1us);
        taken += budget.take(clock.now()) ? 1 : 0;
    }
    CHECK(taken == 10);
    clock.advance(1h);
    CHECK(budget.left(clock.now()) == doctest::Approx(100));
    CHECK(take_all(budget, clock.now()) == 100);
}

TEST_CASE("deposits into a full bucket are lost") {
    ManualClock clock;
    RetryBudget budget(1, 10, 5);
    for (int i = 0; i < 1000; ++i)
        budget.deposit();
    CHECK(budget.left(clock.now()) == doctest::Approx(5));
    CHECK(take_all(budget, clock.now()) == 5);
}

TEST_CASE("a clock that another thread read earlier gives and takes nothing") {
    ManualClock clock;
    RetryBudget budget(0);
    const TimePoint earlier = clock.now();
    clock.advance(1s);
    CHECK(take_all(budget, clock.now()) == 100);
    CHECK_FALSE(budget.take(earlier));
    clock.advance(100ms);
    CHECK(budget.take(clock.now()));
    CHECK_FALSE(budget.take(clock.now()));
}

TEST_CASE("threads never take more than was there") {
    ManualClock clock;
    RetryBudget budget(0.5);
    constexpr int requests = 20'000;
    std::atomic<int> taken{0};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            int own = 0;
            for (int i = 0; i < requests; ++i) {
                budget.deposit();
                own += budget.take(clock.now()) ? 1 : 0;
            }
            taken += own;
        });
    }
    threads.clear();
    CHECK(taken <= 100 + 4 * requests / 2);
    CHECK(taken + budget.left(clock.now()) >= 4 * requests / 2);
    CHECK(taken > 100);
}
