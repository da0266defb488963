// Shares of time, in bounded memory.
#include "health/availability.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {
void pass(Availability& availability, Duration span, bool up, Duration step = 100ms) {
    for (Duration t{}; t < span; t += step)
        availability.add(step, up);
}
}  // namespace

TEST_CASE("nothing is known before the start") {
    Availability availability;
    CHECK_FALSE(availability.shares().hour);
    availability.add(1s, false, false);  // an operator wanted it out
    CHECK_FALSE(availability.shares().month);
    availability.add(1s, true);
    CHECK(*availability.shares().hour == 1);
    CHECK(*availability.shares().month == 1);
}

TEST_CASE("the shares are of the last hour, day and 30 days") {
    Availability availability;
    pass(availability, 30min, true);
    pass(availability, 30min, false);
    CHECK(*availability.shares().hour == doctest::Approx(0.5).epsilon(0.001));
    pass(availability, 2h, true);
    CHECK(*availability.shares().hour == 1);
    CHECK(*availability.shares().day == doctest::Approx(2.5 / 3).epsilon(0.001));
    pass(availability, 26h, true, 1s);
    CHECK(*availability.shares().day == 1);
    CHECK(*availability.shares().month == doctest::Approx(28.5 / 29).epsilon(0.001));
    availability.add(24h * 31, true);
    CHECK(*availability.shares().month == 1);
}

TEST_CASE("a long sleep counts as what it was, in one step") {
    Availability slow, quick;
    slow.add(90min, true);
    slow.add(45min, false);
    pass(quick, 90min, true);
    pass(quick, 45min, false);
    CHECK(*slow.shares().hour == doctest::Approx(0.25).epsilon(0.02));
    CHECK(*slow.shares().hour == doctest::Approx(*quick.shares().hour).epsilon(0.001));
    CHECK(*slow.shares().day == doctest::Approx(*quick.shares().day).epsilon(0.001));
    slow.add(24h * 365, false);
    CHECK(*slow.shares().month == 0);
}

TEST_CASE("it fits in a few KiB") {
    CHECK(sizeof(Availability) < 4096);
}
