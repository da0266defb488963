// consistent_hash: who serves a key, what moves when targets change, and bounded loads.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "balancer/hash.hpp"
#include "balancer/levels.hpp"
#include "balancer/maglev.hpp"
#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

constexpr std::size_t keys = 5000;

std::vector<std::size_t> owners(const Row& row, Policy& policy) {
    FastRng rng(1);
    std::vector<std::size_t> result;
    for (std::uint64_t key = 1; key <= keys; ++key)
        result.push_back(*row.pick(policy, rng, {.hash = key}));
    return result;
}

}  // namespace

TEST_CASE("a Maglev table gives each target its share of the slots to within one") {
    std::vector<std::uint64_t> ids;
    for (std::uint64_t i = 0; i < 50; ++i)
        ids.push_back(mix64(i));
    std::vector<double> weights(50, 1.0);
    weights[7] = 51;
    MaglevTable table;
    table.build(ids, weights);
    REQUIRE(table.slots().size() == 16381);
    std::vector<int> counts(50);
    for (const std::uint32_t slot : table.slots())
        ++counts.at(slot);
    for (std::size_t i = 0; i < 50; ++i)
        CHECK(std::abs(counts[i] - 16381 * weights[i] / 100) <= 1);

    CHECK(MaglevTable::size_for(1) == 251);
    CHECK(MaglevTable::size_for(3) == 1021);
    CHECK(MaglevTable::size_for(10'000) == 262139);
    for (const std::size_t targets : {1, 3, 30, 100, 600, 10'000}) {
        const std::size_t size = MaglevTable::size_for(targets);
        for (std::size_t d = 2; d * d <= size; ++d)
            REQUIRE(size % d != 0);
    }
}

TEST_CASE("equal tables on every node: the owner of a key depends on identities alone") {
    const Row one{1, 1, 1};
    const Row other{1, 1, 1};  // other objects, the same pools and addresses
    const auto a = make_policy(Balance::consistent_hash);
    const auto b = make_policy(Balance::consistent_hash);
    a->changed(one.targets);
    b->changed(other.targets);
    CHECK(owners(one, *a) == owners(other, *b));
}

TEST_CASE("keys are spread by weight") {
    const Row row{1, 2, 5};
    const auto policy = make_policy(Balance::consistent_hash);
    policy->changed(row.targets);
    std::array<int, 3> counts{};
    for (const std::size_t owner : owners(row, *policy))
        ++counts[owner];
    CHECK(fair(counts[0], keys, 1.0 / 8));
    CHECK(fair(counts[1], keys, 2.0 / 8));
    CHECK(fair(counts[2], keys, 5.0 / 8));
}

TEST_CASE("who goes out gives its keys to all others, and gets the same back") {
    Row row(std::vector<double>(10, 1.0));
    const auto policy = make_policy(Balance::consistent_hash);
    policy->changed(row.targets);
    const auto before = owners(row, *policy);
    row.targets[4].weight = row.targets[4].score = 0;
    policy->reweighed(row.targets);
    const auto without = owners(row, *policy);
    std::array<int, 10> gained{};
    int lost = 0;
    for (std::size_t k = 0; k < keys; ++k) {
        if (before[k] == 4) {
            ++lost;
            ++gained[without[k]];
        } else {
            CHECK(without[k] == before[k]);
        }
    }
    CHECK(gained[4] == 0);
    for (std::size_t i = 0; i < 10; ++i)
        CHECK((i == 4 || fair(gained[i], lost, 1.0 / 9)));
    row.targets[4].weight = row.targets[4].score = 1;
    policy->reweighed(row.targets);
    CHECK(owners(row, *policy) == before);
}

TEST_CASE("a lower score keeps that part of the keys, the same ones each time") {
    Row row(std::vector<double>(5, 1.0));
    const auto policy = make_policy(Balance::consistent_hash);
    policy->changed(row.targets);
    const auto before = owners(row, *policy);
    const auto kept_at = [&](float score) {
        row.targets[2].score = score;
        row.targets[2].weight = static_cast<double>(score);
        policy->reweighed(row.targets);
        const auto now = owners(row, *policy);
        std::vector<bool> kept;
        for (std::size_t k = 0; k < keys; ++k) {
            if (before[k] != 2) CHECK(now[k] == before[k]);
            if (before[k] == 2) kept.push_back(now[k] == 2);
        }
        return kept;
    };
    const auto half = kept_at(0.5F);
    const auto tenth = kept_at(0.1F);
    const auto count = [](const std::vector<bool>& of) {
        return static_cast<int>(std::count(of.begin(), of.end(), true));
    };
    CHECK(fair(count(half), static_cast<int>(half.size()), 0.5));
    CHECK(fair(count(tenth), static_cast<int>(half.size()), 0.1));
    for (std::size_t i = 0; i < half.size(); ++i)
        CHECK((half[i] || !tenth[i]));
    CHECK(kept_at(0.5F) == half);
}

TEST_CASE("no key stays with an endpoint that gives errors") {
    Row row(std::vector<double>(4, 1.0));
    const auto policy = make_policy(Balance::consistent_hash);
    policy->changed(row.targets);
    row.targets[2].score = 0.1F;
    row.targets[2].weight = 0.1;
    row.targets[2].endpoint->state->success_part = 0.1F;
    policy->reweighed(row.targets);
    FastRng rng(5);
    int there = 0, homes = 0;
    for (std::uint64_t key = 1; key <= 40; ++key) {
        int stays = 0;
        for (int i = 0; i < 100; ++i)
            stays += *row.pick(*policy, rng, {.hash = key}) == 2 ? 1 : 0;
        CHECK(stays < 40);
        homes += stays > 0 ? 1 : 0;
        there += stays;
    }
    CHECK(homes >= 4);
    CHECK(fair(there, homes * 100, 0.1));
}

TEST_CASE("a change of the set moves few keys beside those that must move") {
    Row row(std::vector<double>(20, 1.0));
    const auto policy = make_policy(Balance::consistent_hash);
    policy->changed(row.targets);
    const auto before = owners(row, *policy);
    row.targets.pop_back();
    policy->changed(row.targets);
    const auto after = owners(row, *policy);
    int moved = 0;
    for (std::size_t k = 0; k < keys; ++k)
        moved += before[k] != 19 && after[k] != before[k] ? 1 : 0;
    CHECK(moved < static_cast<int>(keys) * 8 / 100);
}

TEST_CASE("no endpoint gets more than 1.25 times the mean, even if all ask for one key") {
    FastRng rng(1);
    const Row row(std::vector<double>(8, 1.0));
    const auto policy = make_policy(Balance::consistent_hash);
    policy->changed(row.targets);
    const std::size_t owner = *row.pick(*policy, rng, {.hash = 42});
    for (int i = 0; i < 800; ++i) {
        const std::size_t chosen = *row.pick(*policy, rng, {.hash = 42});
        if (i < 4) CHECK(chosen == owner);  // so few are no overload
        ++row.endpoints[chosen]->state->in_flight;
    }
    for (const auto& endpoint : row.endpoints)
        CHECK(endpoint->state->in_flight <= 125);
    CHECK(row.endpoints[owner]->state->in_flight == 125);
    for (const auto& endpoint : row.endpoints)
        endpoint->state->in_flight = 100;
    CHECK(*row.pick(*policy, rng, {.hash = 42}) == owner);
}

TEST_CASE("a key keeps its level and its split pool while they are well") {
    config::Route route;
    route.balance = Balance::consistent_hash;
    route.pools = {{"a", 1, 0, 0.5}, {"b", 1, 0, 0.5}, {"c", 1, 1, {}}};
    RouteBalancer balancer(route);
    const auto a = set_of("a", {1, 1, 1, 1});
    balancer.update({{"a", a}, {"b", set_of("b", {1})}, {"c", set_of("c", {1})}});
    for (std::size_t i = 0; i < 3; ++i)
        set_standing(*(*a)[i], Standing::ejected);  // spills: 1.4 x 0.625 stays
    FastRng rng(1);
    std::array<int, 3> counts{};
    for (std::uint64_t key = 1; key <= keys; ++key) {
        const Endpoint* owner = balancer.pick({.hash = key}, rng);
        CHECK(balancer.pick({.hash = key}, rng) == owner);
        ++counts[static_cast<std::size_t>(owner->pool[0] - 'a')];
    }
    CHECK(fair(counts[0], keys, 0.4375));
    CHECK(fair(counts[1], keys, 0.4375));
    CHECK(fair(counts[2], keys, 0.125));
}
