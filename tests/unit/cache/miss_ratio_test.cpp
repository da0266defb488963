// The guessed hit rate against a real LRU of the same size, on the same row of keys.
#include "cache/miss_ratio.hpp"

#include <cmath>
#include <list>
#include <unordered_map>
#include <vector>

#include <doctest/doctest.h>

#include "cache/key.hpp"
#include "core/rng.hpp"

using namespace scrollgate;

namespace {

constexpr std::uint32_t objects = 50'000;

std::uint64_t size_of(std::uint32_t key) {
    return 500 + key * 97ULL % 1000;
}

/// Hit rate of an LRU of `memory` bytes over `keys`.
double real(const std::vector<std::uint32_t>& keys, std::uint64_t memory) {
    std::list<std::uint32_t> order;
    std::unordered_map<std::uint32_t, std::list<std::uint32_t>::iterator> at;
    std::uint64_t bytes = 0;
    double hits = 0;
    for (const std::uint32_t key : keys) {
        if (const auto found = at.find(key); found != at.end()) {
            ++hits;
            order.splice(order.begin(), order, found->second);
            continue;
        }
        order.push_front(key);
        at[key] = order.begin();
        bytes += size_of(key);
        for (; bytes > memory; order.pop_back()) {
            bytes -= size_of(order.back());
            at.erase(order.back());
        }
    }
    return hits / static_cast<double>(keys.size());
}

std::vector<std::uint32_t> zipf(double s, int count) {
    FastRng rng(5);
    std::vector<double> sums;
    double sum = 0;
    for (std::uint32_t k = 1; k <= objects; ++k)
        sums.push_back(sum += std::pow(k, -s));
    std::vector<std::uint32_t> keys;
    for (int i = 0; i < count; ++i) {
        const double at = static_cast<double>(rng.next() >> 11) * 0x1p-53 * sum;
        keys.push_back(static_cast<std::uint32_t>(std::lower_bound(sums.begin(), sums.end(), at) -
                                                  sums.begin()));
    }
    return keys;
}

std::uint64_t hash_of(std::uint32_t key) {
    // Fixed, so that the sample is: splitmix64.
    std::uint64_t x = key * 0x9e3779b97f4a7c15ULL + 1;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

}  // namespace

TEST_CASE("the guess from a sample is near an LRU's real hit rate at every size") {
    for (const double s : {0.7, 1.0}) {
        const std::vector<std::uint32_t> keys = zipf(s, 300'000);
        MissRatio ratio;
        for (const std::uint32_t key : keys)
            if (ratio.follows(hash_of(key))) ratio.use(hash_of(key), size_of(key));
        for (const std::uint64_t memory : {500'000UL, 2'000'000UL, 8'000'000UL, 20'000'000UL}) {
            const double guess = ratio.hit_rate(memory, keys.size());
            const double truth = real(keys, memory);
            MESSAGE("Zipf " << s << ", " << memory << " bytes: " << guess << ", really " << truth);
            CHECK(std::abs(guess - truth) < 0.05);
        }
    }
}

TEST_CASE("what expired or was purged counts as a miss at any size") {
    MissRatio ratio;
    for (int i = 0; i < 100; ++i) {
        ratio.use(1, 100);
        ratio.forget(1);
    }
    CHECK(ratio.hit_rate(1U << 30, 100) == doctest::Approx(0));
    for (int i = 0; i < 100; ++i)
        ratio.use(1, 100);
    CHECK(ratio.hit_rate(1U << 30, 200) == doctest::Approx(99.0 / 200));
    CHECK(ratio.hit_rate(10, 200) == doctest::Approx(0).epsilon(0.01));
}

TEST_CASE("few keys are followed, whatever number there is") {
    MissRatio ratio;
    for (std::uint32_t key = 0; key < 200'000; ++key)
        if (ratio.follows(hash_of(key))) ratio.use(hash_of(key), 1000);
    int followed = 0;
    for (std::uint32_t key = 0; key < 200'000; ++key)
        followed += ratio.follows(hash_of(key)) ? 1 : 0;
    CHECK(followed <= static_cast<int>(limits::ratio_samples));
    CHECK(followed > static_cast<int>(limits::ratio_samples) * 9 / 10);
}

TEST_CASE("what was long ago counts less") {
    MissRatio ratio;
    const auto many = static_cast<std::uint64_t>(limits::ratio_samples) * 64;
    for (std::uint64_t i = 1; i <= many; ++i) {
        ratio.use(1, 100);
        if (i % 10'000 == 0) ratio.age(i);
    }
    ratio.age(many);
    CHECK(ratio.hit_rate(1000, many) == doctest::Approx(1).epsilon(0.01));
    // As many misses as there were hits: without ageing this would be a half.
    for (std::uint32_t key = 0; key < many; ++key)
        if (ratio.follows(hash_of(key + 2))) ratio.use(hash_of(key + 2), 100);
    CHECK(ratio.hit_rate(1000, 2 * many) < 0.4);
}

TEST_CASE("a key that is used all the time is soon followed no more") {
    MissRatio ratio;
    constexpr std::uint64_t hot = UINT64_MAX / 3;
    std::uint64_t followed = 0;
    for (std::uint64_t i = 0; i < 1'000'000; ++i)
        if (ratio.follows(hot)) {
            ratio.use(hot, 100);
            ++followed;
        }
    CHECK(followed <= 100'000);
    // In calm it comes back, step by step.
    for (int second = 0; second < 30 && !ratio.follows(hot); ++second)
        ratio.age(1'000'000);
    CHECK(ratio.follows(hot));
}
