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

TEST_CASE("a histogram counts all that were timed, by doubling bounds") {
    LookupTimes times;
    CHECK(times.totals().count == 0);
    CHECK(times.totals().buckets.size() == 18);
    times.add(100ns);
    times.add(300ns);
    times.add(300ns);
    times.add(1s);
    const LookupTimes::Totals all = times.totals();
    CHECK(all.count == 4);
    CHECK(all.seconds == doctest::Approx(1.0000007));
    CHECK(all.buckets.front().seconds == doctest::Approx(128e-9));
    CHECK(all.buckets[0].count == 1);
    CHECK(all.buckets[1].count == 1);  // 256 ns
    CHECK(all.buckets[2].count == 3);  // 512 ns
    CHECK(all.buckets.back().seconds == doctest::Approx(16.777216e-3));
    CHECK(all.buckets.back().count == 3);
}
