// The histogram of look-up times: a quantile is never below what was timed, and near it.
#include "proxy/caching/lookup_times.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

TEST_CASE("a quantile is the upper bound of its bucket, at most a quarter more") {
    LookupTimes times;
    CHECK(times.quantile_us(0.5) == 0);
    for (int i = 0; i < 98; ++i)
        times.add(300ns);
    times.add(5us);
    times.add(5us);
    CHECK(times.quantile_us(0.5) >= 0.3);
    CHECK(times.quantile_us(0.5) <= 0.3 * 1.25);
    CHECK(times.quantile_us(0.99) >= 5);
    CHECK(times.quantile_us(0.99) <= 5 * 1.25);
    times.add(-1ns);
    times.add(3h);
}
