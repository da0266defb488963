// LatencyWindow and PeakEwma against what they promise.
#include "balancer/latency.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {
const TimePoint start{1h};
}

TEST_CASE("a slower answer is believed at once, a faster one slowly") {
    PeakEwma average;
    CHECK(average.value(start) == 0);
    average.observe(2ms, start);
    CHECK(average.value(start) == doctest::Approx(2000).epsilon(0.01));
    average.observe(50ms, start);
    CHECK(average.value(start) == doctest::Approx(50'000).epsilon(0.01));
    average.observe(2ms, start + 1ms);
    CHECK(average.value(start + 1ms) > 49'000);
    TimePoint now = start;
    for (int i = 0; i < 1000; ++i)
        average.observe(2ms, now += 10ms);
    CHECK(average.value(now) < 3000);
}

TEST_CASE("an average that nobody feeds falls, so that the endpoint is tried again") {
    PeakEwma average;
    average.observe(10ms, start);
    average.observe(100ms, start);
    CHECK(average.value(start + 1s) == doctest::Approx(41'000).epsilon(0.02));
    CHECK(average.value(start + 5s) < 4000);
    CHECK(average.value(start - 1s) == doctest::Approx(100'000).epsilon(0.01));
}

TEST_CASE("one answer of seconds among quick ones is soon forgotten, several are believed") {
    PeakEwma average;
    average.observe(4ms, start);
    average.observe(20s, start);
    CHECK(average.value(start) == doctest::Approx(84'000).epsilon(0.01));
    CHECK(average.value(start + 5s) < 5000);
    average.observe(20s, start);
    average.at_least(20s, start);
    CHECK(average.value(start) == doctest::Approx(20'000'000).epsilon(0.01));
}

TEST_CASE("a lower bound raises the average and never lowers it") {
    PeakEwma average;
    average.observe(10ms, start);
    average.at_least(5ms, start);
    CHECK(average.value(start) == doctest::Approx(10'000).epsilon(0.01));
    average.at_least(80ms, start);
    CHECK(average.value(start) == doctest::Approx(80'000).epsilon(0.01));
}

TEST_CASE("percentiles are within a step above the exact ones") {
    LatencyWindow window;
    CHECK(window.count() == 0);
    CHECK(window.quantile(0.99) == Duration::zero());
    for (int i = 1; i <= 1000; ++i)
        window.record(i * 100us);
    CHECK(window.count() == 1000);
    for (const double q : {0.01, 0.5, 0.9, 0.99, 1.0}) {
        const double exact = q * 100'000;
        const double got = std::chrono::duration<double, std::micro>(window.quantile(q)).count();
        CHECK(got >= exact);
        CHECK(got <= exact * 1.13 + 1);
    }
}

TEST_CASE("every value has a slot, whose edge is not below it") {
    for (std::int64_t us = 0; us < 5'000'000; us = us * 9 / 8 + 1) {
        LatencyWindow window;
        window.record(std::chrono::microseconds(us));
        CHECK(window.quantile(0.5) > std::chrono::microseconds(us));
        CHECK(window.quantile(0.5) <= std::chrono::microseconds(us + us / 8 + 1));
    }
    LatencyWindow window;
    window.record(-5s);
    window.record(Duration::max());
    CHECK(window.count() == 2);
}

TEST_CASE("a half that was rotated away twice is forgotten") {
    LatencyWindow window;
    window.record(1ms);
    window.rotate();
    CHECK(window.fresh() == 0);
    window.record(2ms);
    CHECK(window.count() == 2);
    CHECK(window.fresh() == 1);
    window.rotate();
    CHECK(window.count() == 1);
    window.rotate();
    CHECK(window.count() == 0);
}
