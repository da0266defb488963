// Verdicts: standbys, scaling by word and by load.
#include "tests/unit/health/world.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("what is in service and does not serve is told with the number") {
    World w(1, 2, 2);
    CHECK(w.verdicts.drain("p0", w.text(0, 1), w.now) == "");
    CHECK(w.verdicts.scale("p0", {.factor = {}, .active = 2}, w.now) == "");
    CHECK(w.status(0).scale.in_service == 2);
    CHECK(w.status(0).scale.why == "scaled to 2; 1 of those in service does not serve now");
    CHECK(w.verdicts.undrain("p0", w.text(0, 1), w.now) == "");
    CHECK(w.status(0).scale.why == "scaled to 2");
}

TEST_CASE("scaling over all pools brings standbys in, in order, slowly; the rest is pending") {
    World w(3, 2, 1);
    for (int p = 0; p < 3; ++p)
        CHECK(w.standing(p, 2) == Standing::standby);
    CHECK(w.verdicts.scale("", {.factor = 2.0, .active = {}}, w.now) == "");
    w.look();
    for (int p = 0; p < 3; ++p) {
        CHECK(w.standing(p, 2) == Standing::in);
        CHECK(w.score(p, 2) < 0.1);
        CHECK(w.status(p).scale.wanted == 4);
        CHECK(w.status(p).scale.pending == 1);
        CHECK(w.status(p).active == 3);
    }
    w.look(10s);
    CHECK(w.score(0, 2) == 1);
    w.grow(0, 1, false);  // the cloud has brought one more, through DNS
    w.update();
    CHECK(w.status(0).scale.wanted == 4);  // as was said: not twice of three
    CHECK(w.status(0).scale.in_service == 4);
    CHECK(w.lines_with("pool p0: 3 endpoints in service (were 2), 4 wanted: scaled by 2 from 2; 1 "
                       "more wanted than there are") == 1);
    CHECK(w.lines_with("pool p0: 4 endpoints in service (were 3), 4 wanted: scaled by 2") == 1);
    CHECK(w.lines_with("endpoints in service") == 4);
}

TEST_CASE("an endpoint that joins a pool later starts slowly; those at the start do not") {
    World w(1, 2);
    CHECK(w.score(0, 0) == 1);
    w.grow(0, 1, false);
    w.update();
    CHECK(w.score(0, 0) == 1);
    CHECK(w.score(0, 2) == doctest::Approx(limits::ramp_floor));
    w.config.pools[0].slow_start = 0s;
    w.grow(0, 1, false);
    w.update();
    CHECK(w.score(0, 3) == 1);
}

TEST_CASE("a standby that its checks fail is scaled in last, and makes room for one that is well") {
    World w(1, 1, 3);
    w.config.pools[0].health_check = a_check();
    w.update();
    const auto fails = [&w](int e) {
        check(w, 0, e, false);
        check(w, 0, e, false);
    };
    fails(1);
    CHECK(w.verdicts.scale("p0", {{}, 2}, w.now) == "");
    CHECK(w.standing(0, 1) == Standing::standby);
    CHECK(w.status(0).endpoints[1].why == "not scaled in; its checks fail: status 500");
    CHECK(w.standing(0, 2) == Standing::in);
    fails(2);
    CHECK(w.standing(0, 2) == Standing::standby);
    CHECK(w.standing(0, 3) == Standing::in);
    check(w, 0, 2, true);
    check(w, 0, 2, true);
    CHECK(w.standing(0, 2) == Standing::standby);  // nobody is moved without need
    CHECK(w.standing(0, 3) == Standing::in);
    fails(3);
    CHECK(w.standing(0, 2) == Standing::in);
}

TEST_CASE("scaled in, a pool keeps those that would serve, and a death brings another back") {
    World w(2, 4);
    w.config.pools[0].health_check = a_check();
    w.update();
    const auto checks = [&w](int e, bool passed) {
        for (int i = 0; i < 2; ++i)
            check(w, 0, e, passed);
    };
    checks(0, false);                                          // dead
    CHECK(w.verdicts.drain("p0", w.text(0, 1), w.now) == "");  // wanted empty
    CHECK(w.verdicts.scale("p0", {{}, 1}, w.now) == "");
    CHECK(w.standing(0, 2) == Standing::in);
    for (const int out : {0, 3})
        CHECK(w.standing(0, out) == Standing::standby);
    checks(2, false);
    CHECK(w.standing(0, 2) == Standing::standby);
    CHECK(w.standing(0, 3) == Standing::in);
    checks(2, true);
    checks(0, true);
    CHECK(w.standing(0, 3) == Standing::in);  // nobody is moved without need
    // By traffic, and when an operator drains it.
    w.attempts(0, 3, 2, AttemptEnd::refused);
    w.look();
    CHECK(w.standing(0, 0) == Standing::in);
    CHECK(w.verdicts.drain("p0", w.text(0, 0), w.now) == "");
    CHECK(w.standing(0, 2) == Standing::in);
    CHECK(w.status(0).scale.in_service == 1);
}

TEST_CASE("a death brings no standby in, and a standby that would not serve is none") {
    World w(1, 2, 2);
    w.config.pools[0].health_check = a_check();
    w.update();
    const auto fails = [&w](int e) {
        for (int i = 0; i < 2; ++i)
            check(w, 0, e, false);
    };
    const std::string lame = "1 of those in service does not serve now";
    fails(0);
    CHECK(w.standing(0, 0) == Standing::unhealthy);
    CHECK(w.standing(0, 2) == Standing::standby);
    CHECK(w.verdicts.scale("p0", {{}, 4}, w.now) == "");
    CHECK(w.status(0).scale == ScaleState{4, 4, 0, "scaled to 4; " + lame});
    fails(3);
    CHECK(w.status(0).scale ==
          ScaleState{4, 3, 1, "scaled to 4; 1 more wanted than there are; " + lame});
    CHECK(w.standing(0, 2) == Standing::in);
    CHECK(w.verdicts.drain("p0", w.text(0, 2), w.now) == "");
    CHECK(w.status(0).scale.pending == 2);
    CHECK(w.verdicts.undrain("p0", w.text(0, 2), w.now) == "");
    CHECK(w.standing(0, 2) == Standing::in);
    CHECK(w.lines_with("pool p0: 3 endpoints in service (were 4), 4 wanted: scaled to 4; 1 more "
                       "wanted than there are") == 1);
}

TEST_CASE("who has come back from an ejection puts no standby to rest before it has answered") {
    World w(1, 1, 1);
    w.calm(1s);
    CHECK(w.verdicts.scale("p0", {{}, 2}, w.now) == "");
    const auto in = [&w] {
        return std::pair{w.standing(0, 0) == Standing::in, w.standing(0, 1) == Standing::in};
    };
    w.attempts(0, 0, 2, AttemptEnd::refused);
    w.look();
    CHECK(in() == std::pair{false, true});
    w.look(6s);
    CHECK(w.verdicts.scale("p0", {{}, 1}, w.now) == "");
    CHECK(in() == std::pair{true, true});
    w.attempts(0, 0, 1, AttemptEnd::answered);
    w.look();
    CHECK(in() == std::pair{true, false});
}

TEST_CASE("hundreds of endpoints are scaled in and out at one word") {
    World w(3, 50, 50);
    const auto in = [&w](int p) {
        int count = 0;
        for (int e = 0; e < w.size(p); ++e)
            count += w.standing(p, e) == Standing::in ? 1 : 0;
        return count;
    };
    CHECK(in(0) + in(1) + in(2) == 150);
    CHECK(w.verdicts.scale("", {1.8, {}}, w.now) == "");
    for (int p = 0; p < 3; ++p)
        CHECK(in(p) == 90);
    CHECK(w.verdicts.scale("p1", {{}, 120}, w.now) == "");
    CHECK(in(1) == 100);
    CHECK(w.status(1).scale.pending == 20);
    CHECK(w.verdicts.scale("", {1, {}}, w.now) == "");
    for (int p = 0; p < 3; ++p)
        CHECK(in(p) == 50);
}

TEST_CASE("auto brings standbys in by the requests in flight, and takes them back") {
    World w(1, 2, 6);
    config::AutoScale rules;
    rules.target_in_flight = 10;
    rules.shrink_after = 30s;
    w.config.pools[0].auto_scale = rules;
    w.update();
    w.state(0, 0).in_flight = 40;
    for (int i = 0; i < 50; ++i)
        w.look();
    CHECK(w.status(0).scale.in_service == 4);
    CHECK(w.lines_with("pool p0: 4 endpoints in service (were 2), 4 wanted: auto: ") == 1);
    w.state(0, 0).in_flight = 0;
    for (int i = 0; i < 3000; ++i)
        w.look();
    CHECK(w.status(0).scale.in_service == 2);
    CHECK(w.look() == never);
}

TEST_CASE("auto counts no endpoint as capacity that does not serve") {
    World w(2, 4, 8);
    config::AutoScale rules;
    rules.target_in_flight = 4;
    w.config.pools[0].auto_scale = rules;
    w.config.pools[0].health_check = a_check();
    w.update();
    const auto die = [&w](int e) {
        for (int i = 0; i < 2; ++i)
            check(w, 0, e, false);
    };
    for (const int dead : {1, 2, 3})
        die(dead);
    w.state(0, 0).in_flight = 12;
    w.look(1s);
    w.look(1s);
    CHECK(w.status(0).scale.in_service >= 6);  // three that serve
    w.state(0, 0).in_flight = 0;
    for (int i = 0; i < 3; ++i)
        w.look(1s);
    for (int e = 0; e < 11; ++e)
        die(e);  // one is left, and nobody asks
    for (int i = 0; i < 5; ++i)
        w.look(1s);
    CHECK(w.standing(0, 11) == Standing::in);
}
