// What an endpoint is compared with.
#include <functional>

#include <doctest/doctest.h>

#include "tests/unit/health/world.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("who serves no more, or answers with quick errors, makes nobody else slow") {
    const auto with = [](const std::function<void(World&)>& loss, AttemptEnd end, Duration took) {
        World w(2, 2);
        const auto serve = [&w](Duration first, AttemptEnd other, Duration others) {
            w.attempts(0, 0, 25, AttemptEnd::answered, first);
            if (w.standing(0, 1) == Standing::in) w.attempts(0, 1, 25, other, others);
            for (int e : {0, 1})
                w.attempts(1, e, 25, AttemptEnd::answered, 8ms);
            w.look();
        };
        const Duration before = end == AttemptEnd::answered ? took : 30ms;
        for (int round = 0; round < 300; ++round)
            serve(30ms, AttemptEnd::answered, before);
        loss(w);
        for (int round = 0; round < 30; ++round)
            serve(31ms, end, took);
        return w.score(0, 0);
    };
    const auto drain = [](World& w) { CHECK(w.verdicts.drain("p0", w.text(0, 1), w.now) == ""); };
    const auto refuse = [](World& w) {
        w.attempts(0, 1, 3, AttemptEnd::refused);
        w.look();
    };
    const auto nothing = [](World&) {};
    CHECK(with(drain, AttemptEnd::answered, 1ms) == 1);
    CHECK(with(refuse, AttemptEnd::answered, 1ms) == 1);
    CHECK(with(nothing, AttemptEnd::server_error, 200us) == 1);
}

TEST_CASE("what nobody does better is said all the same") {
    World w(1, 2);
    w.calm(5s);
    for (int round = 0; round < 20; ++round) {
        for (int e : {0, 1})
            w.attempts(0, e, 2, AttemptEnd::server_error);
        w.look();
    }
    CHECK(w.score(0, 0) > 0.9);
    CHECK(w.status(0).endpoints[0].why.ends_with("nobody else does better"));
    w.calm(5s);
    CHECK(w.status(0).endpoints[0].why == "nothing is wrong with it");
}
