// Draws of keys against the probabilities of Zipf's law.
#include "bench/load/keys.hpp"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace scrollgate::bench;

TEST_CASE("Zipf draws follow the law") {
    for (const double exponent : {0.5, 0.8, 1.0, 1.2, 2.0}) {
        for (const std::uint64_t count : {2ULL, 10ULL, 1000ULL}) {
            CAPTURE(exponent);
            CAPTURE(count);
            constexpr int draws = 200'000;
            FastRng rng(3);
            const KeyDistribution keys(count, exponent);
            std::vector<int> seen(count);
            for (int i = 0; i < draws; ++i)
                ++seen.at(keys.draw(rng));
            double sum = 0;
            for (std::uint64_t k = 1; k <= count; ++k)
                sum += std::pow(static_cast<double>(k), -exponent);
            for (std::uint64_t k = 0; k < std::min<std::uint64_t>(count, 10); ++k) {
                const double p = std::pow(static_cast<double>(k + 1), -exponent) / sum;
                const double expected = p * draws;
                CAPTURE(k);
                CHECK(std::abs(seen[k] - expected) < 6 * std::sqrt(expected * (1 - p)) + 1);
            }
        }
    }
}

TEST_CASE("without exponent all keys are as likely, and one key is always itself") {
    FastRng rng(5);
    const KeyDistribution even(4, 0), one(1, 1.5), many(1'000'000'000'000, 1);
    std::vector<int> seen(4);
    for (int i = 0; i < 40'000; ++i)
        ++seen.at(even.draw(rng));
    for (const int times : seen)
        CHECK(std::abs(times - 10'000) < 600);
    CHECK(one.draw(rng) == 0);
    for (int i = 0; i < 1'000; ++i)
        CHECK(many.draw(rng) < 1'000'000'000'000);
}
