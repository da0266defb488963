// Whom an attempt asks that nobody is left for: beyond the subset, in the next level, who was put
// out.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "balancer/levels.hpp"
#include "tests/unit/balancer/targets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using Stage = PickRequest::Stage;

TEST_CASE("when all of a subset have failed a request, others of the pool are asked") {
    config::Pool pool;
    pool.name = "a";
    pool.subset = 4;
    const std::vector pools{pool};
    const auto set = set_of("a", std::vector<std::uint32_t>(12, 1));
    for (const Balance balance : policies) {
        RouteBalancer balancer(route_over({{"a", 1, 0, {}}}, balance), {}, pools);
        balancer.update({{"a", set}});
        FastRng rng(9);
        std::set<const Endpoint*> own;
        for (int i = 0; i < 200; ++i)
            own.insert(balancer.pick({.hash = rng.next()}, rng));
        CHECK(own.size() == 4);
        std::vector<const Endpoint*> tried(own.begin(), own.end());
        CHECK(balancer.pick({.tried = tried}, rng) == nullptr);  // they are full, not dead
        std::vector<const Endpoint*> beyond;
        while (const Endpoint* next =
                   balancer.pick({.tried = tried, .stage = Stage::after_failure}, rng)) {
            CHECK_FALSE(own.contains(next));
            beyond.push_back(next);
            tried.push_back(next);
        }
        CHECK(beyond.size() == 8);
        // The third attempt is made there at once; a first one, or a hedge, only where all of the
        // subset has gone silent.
        tried.resize(2);
        CHECK_FALSE(
            own.contains(balancer.pick({.tried = tried, .stage = Stage::after_failure}, rng)));
        tried.resize(1);
        CHECK(own.contains(balancer.pick({.tried = tried, .stage = Stage::after_failure}, rng)));
        for (const bool silent : {false, true}) {
            for (const Endpoint* one : own)
                one->state->unanswered_run = silent ? 3 : 0;
            CHECK(own.contains(balancer.pick({.tried = tried, .stage = Stage::beside}, rng)) !=
                  silent);
            int away = 0;
            for (int i = 0; i < 64; ++i)
                away += own.contains(balancer.pick({}, rng)) ? 0 : 1;
            CHECK((away > 40) == silent);  // but for those that see whether it is back
            CHECK(away < 64);
        }
        for (const Endpoint* one : own)
            one->state->unanswered_run = 0;
        // Whom verdicts would put in for one that is out comes first.
        set_standing(*tried[0], Standing::ejected);
        bool stood_in = false;
        for (int i = 0; i < 200; ++i)
            stood_in |= balancer.pick({.hash = rng.next()}, rng) == beyond[0];
        CHECK(stood_in);
        set_standing(*tried[0], Standing::in);
    }
}

TEST_CASE("while all of a subset gives errors, a few requests see whether the others do, too") {
    config::Pool pool;
    pool.name = "a";
    pool.subset = 4;
    const std::vector pools{pool};
    const auto set = set_of("a", std::vector<std::uint32_t>(12, 1));
    for (const Balance balance : policies) {
        RouteBalancer balancer(route_over({{"a", 1, 0, {}}}, balance), {}, pools);
        balancer.update({{"a", set}});
        FastRng rng(9);
        std::set<const Endpoint*> own;
        for (int i = 0; i < 200; ++i)
            own.insert(balancer.pick({.hash = rng.next()}, rng));
        std::vector<const Endpoint*> beyond;
        for (const auto& one : *set)
            if (!own.contains(one.get())) beyond.push_back(one.get());
        for (const Endpoint* one : own)
            one->state->error_run = 3;
        for (const bool everybody : {false, true}) {
            for (const Endpoint* one : beyond)
                one->state->error_run = everybody ? 3 : 0;
            int away = 0;
            for (int i = 0; i < 400; ++i)
                away += own.contains(balancer.pick({.hash = rng.next()}, rng)) ? 0 : 1;
            CHECK((away > 20) == !everybody);
            CHECK(away < 100);
        }
        for (const auto& one : *set)
            one->state->error_run = 0;
        // One that fails beside others that do not sends nobody away.
        (*own.begin())->state->error_run = 3;
        for (int i = 0; i < 100; ++i)
            CHECK(own.contains(balancer.pick({.hash = rng.next()}, rng)));
        (*own.begin())->state->error_run = 0;
    }
}

TEST_CASE("while all of a level is silent the next is asked; who has come back gets its trickle") {
    RouteBalancer balancer(route_over({{"near", 1, 0, {}}, {"far", 1, 1, {}}}));
    const auto near = set_of("near", {1, 1}), far = set_of("far", {1});
    balancer.update({{"near", near}, {"far", far}});
    FastRng rng(6);
    const auto pools = [&] {  // those that get more than a try now and then
        std::map<std::string, int> counts;
        for (int i = 0; i < 160; ++i)
            ++counts[balancer.pick({}, rng)->pool];
        std::set<std::string> seen;
        for (const auto& [pool, count] : counts)
            if (count > 40) seen.insert(pool);
        return seen;
    };
    (*near)[0]->state->unanswered_run = 3;
    CHECK(pools() == std::set<std::string>{"near"});
    (*near)[1]->state->unanswered_run = 3;
    CHECK(pools() == std::set<std::string>{"far"});
    (*far)[0]->state->unanswered_run = 3;  // our own way out is gone: as ever
    CHECK(pools() == std::set<std::string>{"near"});
    (*far)[0]->state->unanswered_run = 0;
    (*near)[1]->state->ramp_part = 0.1F;  // back from an ejection
    CHECK(pools().contains("near"));
}

TEST_CASE("after a failure of all that are in, who was ejected is asked, but not who is silent") {
    RouteBalancer balancer(route_over({{"a", 1, 0, {}}, {"b", 1, 1, {}}}));
    const auto set = set_of("a", {1, 1, 1, 1, 1});
    balancer.update({{"a", set}});
    FastRng rng(4);
    for (const std::size_t out : {1, 2})
        set_standing(*(*set)[out], Standing::ejected);
    (*set)[2]->state->unanswered_run = 3;
    set_standing(*(*set)[3], Standing::drained);
    set_standing(*(*set)[4], Standing::unhealthy);
    const auto back = [&](const std::vector<const Endpoint*>& tried_before) {
        return balancer.pick({.tried = tried_before, .stage = Stage::after_failure}, rng);
    };
    std::vector<const Endpoint*> tried{(*set)[0].get()};
    CHECK(balancer.pick({.tried = tried}, rng) == nullptr);
    CHECK(balancer.pick({.tried = tried, .stage = Stage::beside}, rng) == nullptr);
    CHECK(back(tried) == (*set)[1].get());
    tried.push_back((*set)[1].get());
    CHECK(back(tried) == nullptr);
    (*set)[4]->state->refused_run = 2;  // what its checks have seen, too
    CHECK(back(tried) == (*set)[4].get());
}
