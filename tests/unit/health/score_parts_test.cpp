// The parts of the score: success, latency, ramp.
#include <cmath>

#include <doctest/doctest.h>

#include "health/latency_trend.hpp"
#include "health/ramp.hpp"
#include "health/success.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

/// `seconds` of `per_second` answers that take `ms`, looked at ten times a second.
void live(LatencyTrend& trend, double ms, double seconds, std::uint64_t per_second = 250,
          bool like_peers = false) {
    for (int i = 0; i < seconds * 10; ++i)
        trend.add(per_second / 10, std::log(ms * 1000), 100ms, like_peers);
}

}  // namespace

TEST_CASE("one error where there is little traffic is not held against an endpoint") {
    SuccessRate rate;
    for (int i = 0; i < 30; ++i)
        rate.add(1, 0, 1s);
    rate.add(0, 1, 1s);
    CHECK(success_part(rate.tally().success(), 1) > 0.8);
}

TEST_CASE("half of the answers failing leaves less than a tenth of the score within a second") {
    SuccessRate rate;
    for (int i = 0; i < 100; ++i)
        rate.add(25, 0, 100ms);
    CHECK(success_part(rate.tally().success(), 1) == 1);
    int looks = 0;
    while (success_part(rate.tally().success(), 1) > 0.1) {
        rate.add(12, 13, 100ms);
        REQUIRE(++looks <= 20);
    }
    CHECK(looks > 1);
}

TEST_CASE("an error that the peers share costs nothing") {
    for (const double rate : {0.9, 0.5, 0.1, 0.01})
        CHECK(success_part(rate, rate) == 1);
    CHECK(success_part(0.97, 0.98) == 1);
    CHECK(success_part(0.5, 1) < 0.1);
    CHECK(success_part(0, 1) == limits::part_floor);
}

TEST_CASE("what was once known about success fades when nothing follows") {
    SuccessRate rate;
    rate.add(0, 100, 100ms);
    CHECK(rate.tally().success() < 0.2);
    rate.add(0, 0, 5min);
    CHECK(rate.tally().success() > 0.99);
}

TEST_CASE("twenty times slower loses nearly all within two seconds, and gets it back") {
    for (const double ms : {2.0, 8.0, 15.0}) {
        LatencyTrend trend;
        live(trend, ms, 30);
        CHECK(trend.against_usual() == doctest::Approx(1).epsilon(0.01));
        live(trend, 20 * ms, 1);
        CHECK(latency_part(trend.against_usual(), 1) < 0.05);
        live(trend, 20 * ms, 600);
        CHECK(latency_part(trend.against_usual(), 1) < 0.05);  // usual stands still
        live(trend, ms, 1);
        CHECK(latency_part(trend.against_usual(), 1) == 1);
    }
}

TEST_CASE("one report of twenty seconds is no sickness") {
    LatencyTrend trend;
    live(trend, 10, 30);
    trend.add(1, std::log(20e6), 100ms, false);
    CHECK(latency_part(trend.against_usual(), 1) == 1);
}

TEST_CASE("what stays slower, as its pool does, becomes usual in the end") {
    LatencyTrend alone, together;
    for (LatencyTrend* trend : {&alone, &together}) {
        live(*trend, 10, 60);
        live(*trend, 50, 3600, 250, trend == &together);
    }
    CHECK(latency_part(alone.against_usual(), 1) < 0.6);
    CHECK(latency_part(together.against_usual(), 1) == 1);
}

TEST_CASE("nothing is said before enough is known, and silence heals") {
    LatencyTrend trend;
    CHECK(trend.against_usual() == 1);
    trend.add(10, std::log(1000.0), 100ms, false);
    trend.add(10, std::log(1e6), 100ms, false);
    CHECK(trend.against_usual() == 1);
    live(trend, 1, 60);
    live(trend, 100, 1);
    CHECK(trend.against_usual() > 10);
    trend.add(0, 0, 1min, false);
    CHECK(trend.against_usual() < 2);
}

TEST_CASE("slower than the pool counts beyond its tolerance; tiny differences do not") {
    CHECK(latency_part(1, 5) == 1);
    CHECK(latency_part(1, 20) < 0.15);
    CHECK(times_slower(300, 100) < 2);  // 0.3 ms against 0.1 ms
    CHECK(latency_part(1000, 1) == limits::part_floor);
}

TEST_CASE("a ramp grows with time, and is a trickle until the first answer after an ejection") {
    const TimePoint t{1h};
    Ramp ramp;
    CHECK(ramp.part(t) == 1);
    CHECK_FALSE(ramp.moving(t));
    ramp.begin(t, 10s, false);
    CHECK(ramp.part(t) == limits::ramp_floor);
    CHECK(ramp.part(t + 5s) == doctest::Approx(0.5));
    CHECK(ramp.moving(t + 9s));
    CHECK(ramp.part(t + 10s) == 1);
    CHECK_FALSE(ramp.moving(t + 11s));
    ramp.begin(t, 3s, true);
    CHECK(ramp.part(t + 1h) == limits::ramp_unproven);
    ramp.proven();
    CHECK(ramp.part(t + 1h) == 1);
    ramp.begin(t, 0s, false);
    CHECK(ramp.part(t) == 1);
}
