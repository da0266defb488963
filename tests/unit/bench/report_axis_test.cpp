// Where values and ticks stand on the axes of charts.
#include <cmath>

#include <doctest/doctest.h>

#include "bench/report/axis.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> labels(const Axis& axis) {
    std::vector<std::string> labels;
    for (const Tick& tick : axis.ticks)
        labels.push_back(tick.label);
    return labels;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("a place is between 0 and 1, also of what is beyond the ends") {
    Axis linear;
    linear.from = 10;
    linear.to = 20;
    CHECK(linear.place(15) == 0.5);
    CHECK(linear.place(9) == 0);
    CHECK(linear.place(21) == 1);
    Axis log = linear;
    log.from = 1;
    log.to = 100;
    log.log = true;
    CHECK(log.place(10) == doctest::Approx(0.5));
    CHECK(log.place(0) == 0);
    CHECK(log.place(-1) == 0);
    CHECK(log.place(1e9) == 1);
}

TEST_CASE("time has natural steps and one unit") {
    CHECK(labels(time_axis(4s)) ==
          Labels{"0", "0.5s", "1s", "1.5s", "2s", "2.5s", "3s", "3.5s", "4s"});
    CHECK(labels(time_axis(400ms)) ==
          Labels{"0", "50ms", "100ms", "150ms", "200ms", "250ms", "300ms", "350ms", "400ms"});
    CHECK(labels(time_axis(60s)) == Labels{"0", "10s", "20s", "30s", "40s", "50s", "60s"});
    CHECK(labels(time_axis(5min)) ==
          Labels{"0", "30s", "60s", "90s", "120s", "150s", "180s", "210s", "240s", "270s", "300s"});
    CHECK(labels(time_axis(10min)).back() == "10m");
    CHECK(labels(time_axis(24h)).back() == "20h");
}

TEST_CASE("a run that ended a moment early or late gets the tick at its end") {
    for (const Duration length : {Duration(9990ms), Duration(10s), Duration(10004ms)}) {
        const Axis axis = time_axis(length);
        CHECK(axis.ticks.back().label == "10s");
        CHECK(axis.ticks.back().at <= axis.to);
    }
    CHECK(time_axis(Duration(0)).to > 0);
}

TEST_CASE("latency is logarithmic and holds both ends") {
    const Axis wide = latency_axis(300us, 2s);
    CHECK(wide.from <= 300e3);
    CHECK(wide.to >= 2e9);
    CHECK(labels(wide) == Labels{"1ms", "10ms", "100ms", "1s"});
    const Axis narrow = latency_axis(2ms, 9ms);
    CHECK(labels(narrow) == Labels{"1ms", "2ms", "5ms", "10ms"});
    const Axis flat = latency_axis(0ns, 0ns);
    CHECK(flat.from > 0);
    CHECK(flat.to > flat.from);
    CHECK(std::isfinite(flat.place(1)));
}

TEST_CASE("rates and shares begin at nothing") {
    CHECK(labels(rate_axis(12'000)) == Labels{"0", "5k", "10k"});
    CHECK(labels(rate_axis(0)).front() == "0");
    CHECK(rate_axis(std::nan("")).to == 1);
    CHECK(labels(share_axis()) == Labels{"0%", "25%", "50%", "75%", "100%"});
}

TEST_CASE("each nine is as wide as the others, as far as the count tells") {
    const Axis axis = percentile_axis(100'000);
    CHECK(labels(axis) == Labels{"0%", "50%", "90%", "99%", "99.9%", "99.99%", "99.999%"});
    CHECK(axis.place(2) - axis.place(1) == doctest::Approx(axis.place(4) - axis.place(3)));
    CHECK(labels(percentile_axis(100)).back() == "99%");
    CHECK(percentile_axis(0).to == 1);
    CHECK(percentile_axis(~0ULL).to == 6);
}

TEST_CASE("ticks rise and stay within the axis") {
    for (const Duration length : {Duration(1ms), Duration(7s), Duration(95s), Duration(101s),
                                  Duration(3h), Duration(30 * 24h)}) {
        for (const Axis& axis : {time_axis(length), latency_axis(length / 1000, length)}) {
            CHECK(axis.ticks.size() >= 2);
            CHECK(axis.ticks.size() <= 21);
            for (std::size_t i = 0; i < axis.ticks.size(); ++i) {
                CHECK(axis.ticks[i].at >= axis.from * 0.999);
                CHECK(axis.ticks[i].at <= axis.to * 1.001);
                if (i > 0) CHECK(axis.ticks[i].at > axis.ticks[i - 1].at);
            }
        }
    }
}
