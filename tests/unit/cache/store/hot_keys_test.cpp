// The most used keys are known by a sample, whatever else is used between.
#include "cache/store/hot_keys.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "core/limits.hpp"

using namespace scrollgate;

namespace {

/// As good as a hash of `n`.
std::uint64_t hash_of(std::uint64_t n) {
    std::mt19937_64 random(n);
    return random();
}

/// How many of the first `most` are among those that `is_hot`.
template <class Hot>
std::size_t among(const std::vector<std::uint64_t>& keys, std::size_t most, Hot&& is_hot) {
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(most, keys.size()));
    return static_cast<std::size_t>(std::count_if(keys.begin(), end, is_hot));
}

}  // namespace

TEST_CASE("few keys are counted exactly, the most used first") {
    HotKeys keys;
    for (std::uint64_t key = 1; key <= 20; ++key)
        for (std::uint64_t use = 0; use < key; ++use)
            keys.count(hash_of(key), 3);
    const std::vector<std::uint64_t> hottest = keys.hottest();
    REQUIRE(hottest.size() == 20);
    for (std::uint64_t i = 0; i < 20; ++i)
        CHECK(hottest[i] == hash_of(20 - i));
}

TEST_CASE("keys that are used once wear nothing down, however many they are") {
    HotKeys keys;
    std::set<std::uint64_t> hot;
    for (std::uint64_t key = 0; key < 100; ++key)
        hot.insert(hash_of(key));
    std::uint64_t scanned = 1'000'000;
    for (int round = 0; round < 50; ++round) {
        for (const std::uint64_t key : hot)
            keys.count(key, 1);
        for (int i = 0; i < 20'000; ++i)
            keys.count(hash_of(scanned++), 1);
    }
    const auto hottest = keys.hottest();
    CHECK(hottest.size() <= limits::hottest_counted);
    CHECK(among(hottest, 100, [&](std::uint64_t key) { return hot.count(key) == 1; }) >= 98);
}

TEST_CASE("one use of 64 of Zipf 1.0 over 100,000 keys tells the thousand that matter") {
    HotKeys keys;
    constexpr std::uint64_t objects = 100'000;
    std::vector<double> weights;
    for (std::uint64_t i = 1; i <= objects; ++i)
        weights.push_back(1.0 / static_cast<double>(i));
    std::mt19937_64 random(7);
    std::discrete_distribution<std::uint64_t> zipf(weights.begin(), weights.end());
    std::set<std::uint64_t> first, second;
    for (std::uint64_t i = 0; i < 1000; ++i)
        (i < 100 ? first : second).insert(hash_of(i));
    for (int use = 0; use < 200'000; ++use)
        keys.count(hash_of(zipf(random)), 64);
    const auto hottest = keys.hottest();
    CHECK(among(hottest, 120, [&](std::uint64_t key) { return first.count(key) == 1; }) >= 95);
    CHECK(among(hottest, 1000, [&](std::uint64_t key) { return second.count(key) == 1; }) >= 650);
}

TEST_CASE("what was used long ago gives way to what is used now") {
    HotKeys keys;
    for (int use = 0; use < 10'000; ++use)
        keys.count(hash_of(1), 64);
    for (int use = 0; use < 500'000; ++use)
        keys.count(hash_of(2 + use % 100), 64);
    CHECK(keys.hottest().front() != hash_of(1));
}
