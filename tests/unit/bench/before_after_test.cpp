// Counting before and after a moment, and the pulse in constant memory.
#include "bench/load/before_after.hpp"

#include <tuple>

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

Sample took(Duration latency, std::uint8_t method = 0) {
    Sample sample;
    sample.status = 200;
    sample.method = method;
    sample.done = sample.intended + latency;
    return sample;
}

Sample failed(Failure failure, std::uint8_t method = 0) {
    Sample sample = took(1ms, method);
    sample.failure = failure;
    return sample;
}

std::uint64_t requests_in(const Pulse& pulse) {
    std::uint64_t sum = 0;
    for (const Pulse::Beat& beat : pulse.beats())
        sum += beat.requests;
    return sum;
}

}  // namespace

TEST_CASE("what ended before the moment is before, without its first quarter") {
    BeforeAfter counted(2, 1000ms);
    counted.count(249ms, took(500ms));
    counted.count(250ms, took(5ms));
    counted.count(999ms, took(7ms));
    counted.count(1000ms, took(9ms));
    counted.count(1001ms, failed(Failure::closed, 1));
    const auto& [get, post] = std::tie(counted.methods()[0], counted.methods()[1]);
    CHECK(get.before.latency.count() == 2);
    CHECK(get.before.latency.max() == 7ms);
    CHECK(get.after.latency.max() == 9ms);
    CHECK(post.after.latency.count() == 0);
    CHECK(post.after.by_failure[static_cast<std::size_t>(Failure::closed)] == 1);
    CHECK(post.pulse.beats()[0].failed == 1);
    CHECK(requests_in(get.pulse) == 1);
}

TEST_CASE("a long pulse gets wider and loses nothing") {
    Pulse pulse;
    const Duration end = Pulse::first_width * static_cast<int>(Pulse::beats_max);
    pulse.count(0ms, failed(Failure::reset));
    pulse.count(end - 1ns, took(3ms));
    CHECK(pulse.width() == Pulse::first_width);
    CHECK(pulse.beats().size() == Pulse::beats_max);
    pulse.count(end * 3, took(30ms));
    CHECK(pulse.width() == Pulse::first_width * 4);
    CHECK(pulse.beats().size() <= Pulse::beats_max);
    CHECK(requests_in(pulse) == 3);
    CHECK(pulse.beats()[0].failed == 1);
    CHECK(pulse.beats()[static_cast<std::size_t>(end / pulse.width()) - 1].longest == 3ms);
    CHECK(pulse.beats().back().longest == 30ms);
}

TEST_CASE("pulses of different widths add up, whichever is wider") {
    Pulse narrow, wide;
    narrow.count(12ms, took(2ms));
    wide.count(Pulse::first_width * static_cast<int>(2 * Pulse::beats_max) - 1ns, took(4ms));
    REQUIRE(wide.width() == Pulse::first_width * 2);
    Pulse sum = narrow;
    sum.add(wide);
    wide.add(narrow);
    for (const Pulse* pulse : {&sum, &wide}) {
        CHECK(pulse->width() == Pulse::first_width * 2);
        CHECK(requests_in(*pulse) == 2);
        CHECK(pulse->beats()[1].longest == 2ms);
        CHECK(pulse->beats().back().longest == 4ms);
    }
}
