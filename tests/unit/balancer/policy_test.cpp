// Each policy against its promise, by counting picks of a seeded generator.
#include "balancer/policy.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("every policy picks nothing from nothing and never a tried target") {
    FastRng rng(7);
    for (const Balance balance : policies) {
        CAPTURE(static_cast<int>(balance));
        const auto policy = make_policy(balance);
        const Row none{};
        policy->changed(none.targets);
        CHECK_FALSE(none.pick(*policy, rng).has_value());

        const Row row{5, 1, 1, 0.25};
        policy->changed(row.targets);
        row.tried[0] = row.tried[2] = true;
        std::array<int, 4> seen{};
        for (int i = 0; i < 1000; ++i)
            ++seen[*row.pick(*policy, rng)];
        CHECK(seen[0] == 0);
        CHECK(seen[1] > 0);
        CHECK(seen[2] == 0);
        CHECK(seen[3] > 0);
        row.tried[1] = row.tried[3] = true;
        CHECK_FALSE(row.pick(*policy, rng).has_value());
    }
}

TEST_CASE("a target without weight gets nothing, and its share when it has one again") {
    FastRng rng(8);
    for (const Balance balance : policies) {
        CAPTURE(static_cast<int>(balance));
        const auto policy = make_policy(balance);
        Row row{1, 1, 1, 1, 1};
        policy->changed(row.targets);
        for (const std::size_t out : {0, 2, 4}) {
            row.targets[out].weight = 0;
            row.targets[out].score = 0;
        }
        policy->reweighed(row.targets);
        auto counts = row.counts(*policy, rng, 1000);
        CHECK(counts[1] + counts[3] == 1000);
        CHECK(counts[1] > 400);
        CHECK(counts[3] > 400);
        row.tried[1] = row.tried[3] = true;
        CHECK_FALSE(row.pick(*policy, rng).has_value());
        row.tried[1] = row.tried[3] = false;
        for (const std::size_t out : {0, 2, 4})
            row.targets[out].weight = row.targets[out].score = 1;
        policy->reweighed(row.targets);
        for (const int count : row.counts(*policy, rng, 5000))
            CHECK(count > 800);
        for (Target& target : row.targets)
            target.weight = target.score = 0;
        policy->reweighed(row.targets);
        CHECK_FALSE(row.pick(*policy, rng).has_value());
    }
}

TEST_CASE("round robin spreads turns over the cycle") {
    FastRng rng(1);
    const auto policy = make_policy(Balance::round_robin);
    const Row row{5, 1, 1};
    policy->changed(row.targets);
    std::string order;
    for (int i = 0; i < 14; ++i)
        order += static_cast<char>('a' + *row.pick(*policy, rng));
    CHECK(order == "abaaacaabaaaca");

    // Ten light ones beside a heavy one do not take their turns in a bunch.
    const Row many{10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    policy->changed(many.targets);
    int light = 0;
    for (int i = 0; i < 100; ++i) {
        light = *many.pick(*policy, rng) == 0 ? 0 : light + 1;
        CHECK(light <= 2);
    }
}

TEST_CASE("round robin is exact over every cycle, also with fractional weights") {
    FastRng rng(1);
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        CAPTURE(seed);
        FastRng make(seed);
        std::vector<double> weights(1 + make.below(20));
        int cycle = 0;
        for (double& weight : weights) {
            weight = static_cast<double>(1 + make.below(30));
            cycle += static_cast<int>(weight);
        }
        const std::vector<double> wanted = weights;
        for (double& weight : weights)
            weight /= 3.0 * cycle;
        const Row row(weights);
        const auto policy = make_policy(Balance::round_robin);
        policy->changed(row.targets);
        for (int turn = 0; turn < 5; ++turn) {
            const auto counts = row.counts(*policy, rng, cycle);
            for (std::size_t i = 0; i < counts.size(); ++i)
                REQUIRE(counts[i] == wanted[i]);
        }
    }
}

TEST_CASE("round robin goes on where it was when the row changes") {
    FastRng rng(1);
    const auto policy = make_policy(Balance::round_robin);
    Row row{1, 1, 1};
    policy->changed(row.targets);
    const std::size_t first = *row.pick(*policy, rng);
    const std::size_t second = *row.pick(*policy, rng);
    REQUIRE(first != second);

    std::rotate(row.targets.begin(), row.targets.begin() + 2, row.targets.end());
    policy->changed(row.targets);  // the same identities in another order
    CHECK(row.targets[*row.pick(*policy, rng)].endpoint == row.endpoints[3 - first - second].get());
    for (Target& target : row.targets)
        target.weight *= 7;
    const auto before = row.counts(*policy, rng, 2);
    policy->reweighed(row.targets);
    const std::size_t third = *row.pick(*policy, rng);
    CHECK(before[third] == 0);

    const Row other{1, 1, 1, 1};
    policy->changed(other.targets);
    CHECK(other.counts(*policy, rng, 400) == std::vector<int>{100, 100, 100, 100});
}

TEST_CASE("least requests picks the lowest load per weight") {
    FastRng rng(3);
    const auto policy = make_policy(Balance::least_requests);
    const Row row{1, 2, 1};
    policy->changed(row.targets);
    const auto in_flight = [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
        row.endpoints[0]->state->in_flight = a;
        row.endpoints[1]->state->in_flight = b;
        row.endpoints[2]->state->in_flight = c;
    };
    in_flight(3, 3, 2);
    CHECK(row.pick(*policy, rng) == 1);
    in_flight(2, 5, 3);
    CHECK(row.pick(*policy, rng) == 0);
    in_flight(0, 1, 0);
    const auto counts = row.counts(*policy, rng, 10'000);
    CHECK(counts[1] == 0);
    CHECK(fair(counts[0], 10'000, 0.5));
}

TEST_CASE("least requests settles at loads in proportion to the weights") {
    FastRng rng(4);
    const auto policy = make_policy(Balance::least_requests);
    const Row row{1, 2, 5};
    policy->changed(row.targets);
    for (int i = 0; i < 80; ++i)
        ++row.endpoints[*row.pick(*policy, rng)]->state->in_flight;
    CHECK(row.endpoints[0]->state->in_flight == 10);
    CHECK(row.endpoints[1]->state->in_flight == 20);
    CHECK(row.endpoints[2]->state->in_flight == 50);
}

TEST_CASE("random picks, and least requests among equals, follow the weights") {
    constexpr int picks = 100'000;
    for (const Balance balance : {Balance::random, Balance::least_requests}) {
        for (const std::uint64_t seed : {11, 12, 13}) {
            CAPTURE(static_cast<int>(balance));
            CAPTURE(seed);
            FastRng rng(seed);
            const auto policy = make_policy(balance);
            const Row row{1, 2, 3, 4};
            policy->changed(row.targets);
            auto counts = row.counts(*policy, rng, picks);
            for (std::size_t i = 0; i < 4; ++i) {
                CHECK(fair(counts[i], picks, row.targets[i].weight / 10));
            }
            row.tried[3] = true;  // the rest keep their proportions
            counts = row.counts(*policy, rng, picks);
            for (std::size_t i = 0; i < 3; ++i) {
                CHECK(fair(counts[i], picks, row.targets[i].weight / 6));
            }
        }
    }
}

TEST_CASE("every policy finds the only target left among a thousand") {
    FastRng rng(5);
    for (const Balance balance : policies) {
        CAPTURE(static_cast<int>(balance));
        const auto policy = make_policy(balance);
        const Row row(std::vector<double>(1000, 1.0));
        policy->changed(row.targets);
        for (std::size_t i = 0; i < 1000; ++i)
            row.tried[i] = i != 777;
        for (int i = 0; i < 100; ++i)
            CHECK(row.pick(*policy, rng) == 777);
    }
}

TEST_CASE("least requests of many draws by weight and takes the lowest load per weight") {
    FastRng rng(6);
    const auto policy = make_policy(Balance::least_requests);
    std::vector<double> weights(200, 1.0);
    std::fill(weights.begin(), weights.begin() + 100, 3.0);
    const Row row(weights);
    policy->changed(row.targets);
    for (int i = 0; i < 4000; ++i)
        ++row.endpoints[*row.pick(*policy, rng)]->state->in_flight;
    for (std::size_t i = 0; i < 200; ++i) {
        const double load = row.endpoints[i]->state->in_flight / weights[i];
        CHECK(load >= 7);
        CHECK(load <= 13);
    }
}
