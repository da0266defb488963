// The histogram against exact percentiles of the same values.
#include "bench/load/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;

namespace {

constexpr double quantiles[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

Duration exact(const std::vector<Duration>& sorted, double quantile) {
    const double wanted = std::ceil(quantile * static_cast<double>(sorted.size()));
    const auto rank = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, sorted.size());
    return sorted[rank - 1];
}

struct Shape {
    std::string name;
    std::function<double(Rng&)> draw;  ///< nanoseconds
};

double unit(Rng& rng) {
    return (static_cast<double>(rng.next() >> 11) + 0.5) * 0x1p-53;
}

const Shape shapes[] = {
    {"one value", [](Rng&) { return 123'456'789.0; }},
    {"tiny", [](Rng& rng) { return static_cast<double>(rng.below(3'000)); }},
    {"uniform to 10 ms", [](Rng& rng) { return 1e7 * unit(rng); }},
    {"exponential, 1 ms", [](Rng& rng) { return -1e6 * std::log(unit(rng)); }},
    {"over all magnitudes", [](Rng& rng) { return std::exp(28.9 * unit(rng)); }},
    {"two modes", [](Rng& rng) { return rng.below(100) == 0 ? 1e9 : 80'000.0; }},
};

}  // namespace

TEST_CASE("quantiles are exact to the digits that are kept") {
    for (const unsigned digits : {1U, 2U, 3U, 4U}) {
        for (const Shape& shape : shapes) {
            CAPTURE(digits);
            CAPTURE(shape.name);
            FastRng rng(7);
            Histogram histogram(digits);
            std::vector<Duration> values;
            double sum = 0;
            for (int i = 0; i < 20'000; ++i) {
                const Duration value(static_cast<std::int64_t>(shape.draw(rng)));
                values.push_back(value);
                sum += static_cast<double>(value.count());
                histogram.record(value);
            }
            std::sort(values.begin(), values.end());
            CHECK(histogram.count() == values.size());
            CHECK(histogram.min() == values.front());
            CHECK(histogram.max() == values.back());
            const double mean = sum / static_cast<double>(values.size());
            CHECK(std::abs(static_cast<double>(histogram.mean().count()) - mean) <= 1);
            for (const double quantile : quantiles) {
                CAPTURE(quantile);
                const auto want = static_cast<double>(exact(values, quantile).count());
                const auto got = static_cast<double>(histogram.at(quantile).count());
                CHECK(got >= want);
                CHECK(got <= want * (1 + std::pow(10, -static_cast<double>(digits))));
            }
            CHECK(histogram.at(1) == values.back());
        }
    }
}

TEST_CASE("adding two is the same as recording into one") {
    FastRng rng(1);
    Histogram left, right, both;
    for (int i = 0; i < 10'000; ++i) {
        const Duration value(static_cast<std::int64_t>(rng.below(std::uint64_t{1} << (i % 40))));
        (i % 3 == 0 ? left : right).record(value);
        both.record(value);
    }
    left.add(right);
    CHECK(left.count() == both.count());
    CHECK(left.min() == both.min());
    CHECK(left.max() == both.max());
    CHECK(left.mean() == both.mean());
    for (const double quantile : quantiles)
        CHECK(left.at(quantile) == both.at(quantile));
}

TEST_CASE("nothing recorded, ends of the range, and starting over") {
    Histogram histogram;
    CHECK(histogram.at(0.5) == Duration::zero());
    CHECK(histogram.min() == Duration::zero());
    CHECK(histogram.mean() == Duration::zero());
    histogram.record(Duration(-5));
    CHECK(histogram.at(1) == Duration::zero());
    histogram.record(Histogram::highest * 3);
    CHECK(histogram.at(1) == Histogram::highest);
    CHECK(histogram.max() == Histogram::highest);
    histogram.clear();
    CHECK(histogram.count() == 0);
    CHECK(histogram.at(0.99) == Duration::zero());
    histogram.record(Duration(42));
    CHECK(histogram.at(0.99) == Duration(42));
    CHECK(histogram.min() == Duration(42));
}

TEST_CASE("a histogram of half the size counts the same, and adds to a large one") {
    Histogram large(2), sum(2);
    SliceHistogram small(2), twice(2);
    FastRng rng(3);
    for (int i = 0; i < 10'000; ++i) {
        const Duration value(static_cast<std::int64_t>(rng.below(50'000'000)));
        large.record(value);
        small.record(value);
    }
    sum.add(small);
    twice.add(small);
    for (const double quantile : quantiles) {
        CHECK(small.at(quantile) == large.at(quantile));
        CHECK(sum.at(quantile) == large.at(quantile));
    }
    CHECK(sum.count() == 10'000);
    CHECK(sum.mean() == large.mean());
    // 2^34 values in one bucket: it is full, and says no less than that.
    twice.clear();
    twice.record(std::chrono::milliseconds(1));
    for (int i = 0; i < 34; ++i) {
        SliceHistogram copy = twice;
        twice.add(copy);
    }
    CHECK(twice.count() == std::uint64_t{1} << 34);
    CHECK(twice.at(0.1) == std::chrono::milliseconds(1));
    CHECK(twice.at(0.9) == std::chrono::milliseconds(1));
}
