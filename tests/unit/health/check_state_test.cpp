// Rise, fall and when the next check is due.
#include "health/check_state.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

struct Checked {
    Checked(std::uint32_t healthy_after, std::uint32_t unhealthy_after)
        : state({1s, healthy_after, unhealthy_after}, now, rng) {}
    bool result(bool passed) {
        now += 10ms;
        return state.record(passed, now - 10ms, now, rng);
    }
    FastRng rng{1};
    TimePoint now{1h};
    CheckState state;
};

}  // namespace

TEST_CASE("so many failures in a row make unhealthy, so many passes healthy") {
    Checked check(3, 2);
    CHECK(check.state.healthy());
    CHECK_FALSE(check.result(false));
    CHECK_FALSE(check.result(true));  // the row is broken
    CHECK_FALSE(check.result(false));
    CHECK(check.result(false));
    CHECK_FALSE(check.state.healthy());
    CHECK_FALSE(check.result(true));
    CHECK_FALSE(check.result(true));
    CHECK_FALSE(check.result(false));
    CHECK_FALSE(check.result(true));
    CHECK_FALSE(check.result(true));
    CHECK(check.result(true));
    CHECK(check.state.healthy());
}

TEST_CASE("after a first failure the next check comes at once, after others in its interval") {
    Checked check(2, 3);
    check.result(false);
    CHECK(check.state.due() == check.now);
    check.result(false);
    CHECK(check.state.due() > check.now + 800ms);
    check.result(false);
    CHECK_FALSE(check.state.healthy());
    CHECK(check.state.due() > check.now + 800ms);
    check.result(true);
    CHECK(check.state.due() > check.now + 800ms);
    check.result(false);  // it is out already: no hurry
    CHECK(check.state.due() > check.now + 800ms);
}

TEST_CASE("intervals are jittered by a tenth, from the check's beginning") {
    Checked check(1, 1);
    Duration least = 10s, most = 0s;
    for (int i = 0; i < 1000; ++i) {
        const TimePoint began = check.now;
        check.result(true);
        const Duration waits = check.state.due() - began;
        least = std::min(least, waits);
        most = std::max(most, waits);
    }
    CHECK(least >= 900ms);
    CHECK(least < 920ms);
    CHECK(most <= 1100ms);
    CHECK(most > 1080ms);
}

TEST_CASE("a check that lasted longer than its interval is due again when it has ended") {
    Checked check(1, 9);
    check.state.record(true, check.now - 5s, check.now, check.rng);
    CHECK(check.state.due() == check.now);
}

TEST_CASE("the part of the score: whole, half while failing, none while out") {
    Checked check(1, 2);
    CHECK(check.state.part() == 1.0F);
    check.result(false);
    CHECK(check.state.part() == 0.5F);
    check.result(false);
    CHECK(check.state.part() == 0.0F);
    check.result(true);
    CHECK(check.state.part() == 1.0F);
}
