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

namespace {

/// A pool of twelve, of which this node uses four.
struct Subset {
    std::shared_ptr<EndpointSet> set = set_of("a", std::vector<std::uint32_t>(12, 1));
    RouteBalancer balancer;
    FastRng rng{9};
    std::set<const Endpoint*> own;
    std::vector<const Endpoint*> beyond;

    explicit Subset(Balance balance)
        : balancer(route_over({{"a", 1, 0, {}}}, balance), {}, std::vector{pool()}) {
        balancer.update({{"a", set}});
        for (int i = 0; i < 200; ++i)
            own.insert(balancer.pick({.hash = rng.next()}, rng));
        for (const auto& one : *set)
            if (!own.contains(one.get())) beyond.push_back(one.get());
    }
    static config::Pool pool() {
        config::Pool made;
        made.name = "a";
        made.subset = 4;
        return made;
    }
    /// How many of 400 picks leave the subset.
    int away(const PickRequest& request = {}) {
        int count = 0;
        for (int i = 0; i < 400; ++i) {
            PickRequest one = request;
            one.hash = rng.next();
            count += own.contains(balancer.pick(one, rng)) ? 0 : 1;
        }
        return count;
    }
    static void errors(const auto& of, bool on, TimePoint at = {}) {
        for (const Endpoint* one : of) {
            one->state->error_run = on ? 3 : 0;
            one->state->last_answer = at.time_since_epoch().count();
        }
    }
};

}  // namespace

TEST_CASE("when all of a subset have failed a request, others of the pool are asked") {
    for (const Balance balance : policies) {
        Subset s(balance);
        CHECK(s.own.size() == 4);
        std::vector<const Endpoint*> tried(s.own.begin(), s.own.end());
        CHECK(s.balancer.pick({.tried = tried}, s.rng) == nullptr);  // they are full, not dead
        std::vector<const Endpoint*> beyond;
        while (const Endpoint* next =
                   s.balancer.pick({.tried = tried, .stage = Stage::after_failure}, s.rng)) {
            CHECK_FALSE(s.own.contains(next));
            beyond.push_back(next);
            tried.push_back(next);
        }
        CHECK(beyond.size() == 8);
        // The third attempt is made there at once; a first one, or a hedge, only where all of the
        // subset has gone silent.
        const auto stays = [&](Stage stage) {
            return s.own.contains(s.balancer.pick({.tried = tried, .stage = stage}, s.rng));
        };
        tried.resize(2);
        CHECK_FALSE(stays(Stage::after_failure));
        tried.resize(1);
        CHECK(stays(Stage::after_failure));
        for (const bool silent : {false, true}) {
            for (const Endpoint* one : s.own)
                one->state->unanswered_run = silent ? 3 : 0;
            CHECK(stays(Stage::beside) != silent);
            const int away = s.away();
            CHECK((away > 250) == silent);  // but for those that see whether it is back
            CHECK(away < 400);
        }
        for (const Endpoint* one : s.own)
            one->state->unanswered_run = 0;
        // A hedge goes there as soon as each of the subset owes an answer: nobody else would tell.
        int missing = 0;
        for (const Endpoint* one : s.own) {
            one->state->unanswered_run = 1;
            CHECK(stays(Stage::beside) == (++missing < 4));
        }
        for (const Endpoint* one : s.own)
            one->state->unanswered_run = 0;
        // Whom verdicts would put in for one that is out comes first.
        set_standing(*tried[0], Standing::ejected);
        bool stood_in = false;
        for (int i = 0; i < 200; ++i)
            stood_in |= s.balancer.pick({.hash = s.rng.next()}, s.rng) == beyond[0];
        CHECK(stood_in);
    }
}

TEST_CASE("while all of a subset gives errors, a few requests see whether the others do, too") {
    for (const Balance balance : policies) {
        Subset s(balance);
        s.errors(s.own, true);
        for (const bool everybody : {false, true}) {
            s.errors(s.beyond, everybody);
            const int away = s.away();
            CHECK((away > 20) == !everybody);
            CHECK(away < 100);
        }
        // What they gave long ago says nothing of now.
        const TimePoint later{limits::evidence_memory};
        s.errors(s.own, true, later);
        CHECK(s.away({.now = later}) > 20);
        // Nor does one that fails beside others that do not send anybody away.
        s.errors(s.own, false);
        s.errors(s.beyond, false);
        (*s.own.begin())->state->error_run = 3;
        CHECK(s.away() == 0);
    }
}

TEST_CASE("a session keeps its home beyond the subset, and leaves one that alone gives errors") {
    for (const Balance balance : policies) {
        Subset s(balance);
        const Endpoint* const near = *s.own.begin();
        const Endpoint* const far = s.beyond.front();
        CHECK(s.balancer.pick({.stick = near}, s.rng) == near);
        CHECK(s.balancer.pick({.stick = far}, s.rng) == far);
        // While nobody knows that others do better, a few of its requests find out.
        s.errors(s.own, true);
        const int away = s.away({.stick = near});
        CHECK(away > 20);
        CHECK(away < 100);
        near->state->success_part = 0.1F;
        int stays = 0;
        for (int i = 0; i < 100; ++i)
            stays += s.balancer.pick({.hash = s.rng.next(), .stick = near}, s.rng) == near ? 1 : 0;
        CHECK(stays < 60);  // no more than anybody's
        near->state->success_part = 1;
        set_standing(*far, Standing::drained);
        CHECK(s.balancer.pick({.stick = far}, s.rng) != far);
    }
}

TEST_CASE("while all of a level gives errors, a few requests see whether the next does, too") {
    RouteBalancer balancer(route_over({{"near", 1, 0, {}}, {"far", 1, 1, {}}}));
    const auto near = set_of("near", {1, 1}), far = set_of("far", {1});
    balancer.update({{"near", near}, {"far", far}});
    FastRng rng(6);
    const auto away = [&] {
        int count = 0;
        for (int i = 0; i < 400; ++i)
            count += balancer.pick({}, rng)->pool == "far" ? 1 : 0;
        return count;
    };
    (*near)[0]->state->error_run = 3;
    CHECK(away() == 0);
    (*near)[1]->state->error_run = 3;
    const int looks = away();
    CHECK(looks > 20);
    CHECK(looks < 100);
    (*far)[0]->state->error_run = 3;
    CHECK(away() == 0);
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
