// Verdicts: commands, checks, dependencies, what survives a reload, availability.
#include "tests/unit/health/world.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("no check is due unless one is configured") {
    World w(1, 2);
    CHECK(w.verdicts.check_due("p0", w.text(0, 0)) == never);
    CHECK(w.verdicts.checked("p0", w.text(0, 0), false, "", w.now, w.now) == never);
    w.config.pools[0].health_check = a_check();
    w.update();
    CHECK(w.verdicts.check_due("p0", w.text(0, 0)) <= w.now + 200ms);
    CHECK(w.verdicts.checked("p0", "10.9.9.9:80", false, "", w.now, w.now) == never);
}

TEST_CASE("checks take an endpoint out and back, one line each, at once") {
    World w(1, 2);
    w.config.pools[0].health_check = a_check();
    w.update();
    const std::uint64_t epoch = w.epoch(0);
    check(w, 0, 1, false);
    CHECK(w.standing(0, 1) == Standing::in);
    CHECK(w.score(0, 1) == 0.5F);
    check(w, 0, 1, false);
    CHECK(w.standing(0, 1) == Standing::unhealthy);
    CHECK(w.epoch(0) == epoch + 2);
    check(w, 0, 1, true);
    CHECK(w.standing(0, 1) == Standing::unhealthy);
    check(w, 0, 1, true);
    CHECK(w.standing(0, 1) == Standing::in);
    CHECK(w.score(0, 1) == doctest::Approx(limits::ramp_floor));
    w.look(10s);
    CHECK(w.score(0, 1) == 1);
    REQUIRE(w.lines.size() == 2);
    CHECK(w.lines[0] == "pool p0: 10.0.0.2:80 is unhealthy (was in): its checks fail: status 500");
    CHECK(w.lines[1] == "pool p0: 10.0.0.2:80 is in (was unhealthy): its checks pass");
    // Without a check there is no verdict of one.
    check(w, 0, 1, false);
    check(w, 0, 1, false);
    w.config.pools[0].health_check.reset();
    w.update();
    CHECK(w.standing(0, 1) == Standing::in);
    CHECK(w.lines.back().ends_with("it is not checked any more"));
}

TEST_CASE("green checks end no ejection; checks that saw it go and come back do") {
    World w(2, 2);
    w.config.pools[0].health_check = a_check();
    w.update();
    for (int i = 0; i < 10; ++i)
        check(w, 0, 0, true);
    w.attempts(0, 0, 2, AttemptEnd::refused);
    w.look();
    for (int i = 0; i < 4; ++i) {
        check(w, 0, 0, true);
        w.look(0s);
        CHECK(w.standing(0, 0) == Standing::ejected);
    }
    w.look(1s);
    CHECK(w.standing(0, 0) == Standing::in);
    w.attempts(0, 0, 2, AttemptEnd::refused);
    w.look();
    for (const bool passed : {false, false, true, true})
        check(w, 0, 0, passed);
    CHECK(w.standing(0, 0) == Standing::ejected);
    w.look(0s);  // four seconds: not by time
    CHECK(w.standing(0, 0) == Standing::in);
}

TEST_CASE("precedence: failed, drained, standby, unhealthy, ejected, in") {
    World w(2, 2, 1);
    w.config.pools[0].health_check = a_check();
    w.update();
    w.calm(1s);
    w.attempts(0, 0, 2, AttemptEnd::refused);
    w.look();
    CHECK(w.standing(0, 0) == Standing::ejected);
    check(w, 0, 0, false);
    check(w, 0, 0, false);
    CHECK(w.standing(0, 0) == Standing::unhealthy);
    CHECK(w.verdicts.scale("p0", {.factor = {}, .active = 1}, w.now) == "");
    CHECK(w.verdicts.drain("p0", w.text(0, 0), w.now) == "");
    w.look();
    CHECK(w.standing(0, 0) == Standing::drained);  // and scaled out
    CHECK(w.standing(0, 1) == Standing::in);
    CHECK(w.verdicts.fail("p0", 30s, w.now) == "");
    w.look();
    for (int e = 0; e < 3; ++e)
        CHECK(w.standing(0, e) == Standing::failed);
    CHECK(w.status(0).state == "failed");
    CHECK(w.standing(1, 0) == Standing::in);
    w.update();  // a reload
    CHECK(w.standing(0, 0) == Standing::failed);
    w.look(30s);
    CHECK(w.standing(0, 0) == Standing::drained);
    CHECK(w.standing(0, 1) == Standing::in);
    CHECK(w.standing(0, 2) == Standing::standby);
    CHECK(w.verdicts.undrain("p0", w.text(0, 0), w.now) == "");
    w.look();
    CHECK(w.standing(0, 0) == Standing::standby);
    CHECK(w.verdicts.scale("p0", {.factor = {}, .active = 2}, w.now) == "");
    CHECK(w.standing(0, 0) == Standing::unhealthy);
}

TEST_CASE("a failed pool comes back when its time is over or somebody says so") {
    World w(2, 2);
    CHECK(w.verdicts.fail("p0", 30s, w.now) == "");
    CHECK(w.verdicts.look(w.now) <= w.now + 30s);
    w.look(29s);
    CHECK(w.standing(0, 0) == Standing::failed);
    const TimePoint next = w.look(100ms);
    CHECK(next <= w.now + 900ms);
    w.look(900ms);
    CHECK(w.standing(0, 0) == Standing::in);
    CHECK(w.lines.back().ends_with("is over"));
    CHECK(w.verdicts.fail("p0", no_limit, w.now) == "");
    w.look(1h);
    CHECK(w.standing(0, 0) == Standing::failed);
    CHECK(w.verdicts.unfail("p0", w.now) == "");
    w.look();
    CHECK(w.standing(0, 0) == Standing::in);
    CHECK(w.lines.back().ends_with("an operator has put it back"));
}

TEST_CASE("commands that cannot be are refused in words") {
    World w(2, 2);
    CHECK(w.verdicts.fail("px", 1s, w.now) == "there is no pool px; there are: p0, p1");
    CHECK(w.verdicts.fail("p0", 0s, w.now) != "");
    CHECK(w.verdicts.unfail("p0", w.now) == "pool p0 is not failed");
    CHECK(w.verdicts.drain("p0", "1.2.3.4:5", w.now) == "pool p0 has no endpoint 1.2.3.4:5");
    CHECK(w.verdicts.undrain("p0", w.text(0, 0), w.now) != "");
    CHECK(w.verdicts.scale("px", {.factor = 2.0, .active = {}}, w.now) != "");
    CHECK(w.verdicts.scale("", {.factor = 1e6, .active = {}}, w.now) != "");
    w.look();
    CHECK(w.lines.empty());
}

TEST_CASE("a pool that a reload took out can still be put back") {
    World w(2, 1);
    CHECK(w.verdicts.fail("p1", no_limit, w.now) == "");
    w.config.pools.pop_back();
    w.config.routes[0].pools.pop_back();
    w.update();
    CHECK(w.verdicts.unfail("p1", w.now) == "");
    CHECK(w.verdicts.unfail("p1", w.now) == "there is no pool p1; there are: p0");
}

TEST_CASE("a dependency that is gone lowers its pool's score and empties nothing") {
    World w(2, 2);
    config::Dependency database;
    database.url = "http://db/up?key=s3cret";
    database.shown = "http://db/up?(hidden)";
    w.config.pools[0].depends_on = {database};
    w.update();
    CHECK(w.verdicts.dependency_due("p0", database.url) != never);
    CHECK(w.verdicts.dependency_due("p1", database.url) == never);
    for (int i = 0; i < 2; ++i) {
        static_cast<void>(w.verdicts.dependency_checked("p0", database.url, false,
                                                        "connect: refused", w.now, w.now));
    }
    CHECK(w.score(0, 0) == doctest::Approx(limits::dependency_part));
    CHECK(w.standing(0, 0) == Standing::in);
    CHECK(w.score(1, 0) == 1);
    CHECK(w.lines_with("its dependency http://db/up?(hidden) is gone (connect: refused)") == 1);
    CHECK_FALSE(w.status(0).depends_on[0].up);
    CHECK(w.status(0).depends_on[0].url == database.shown);
    CHECK(w.status(0).state == "degraded");
    for (int i = 0; i < 2; ++i)
        static_cast<void>(
            w.verdicts.dependency_checked("p0", database.url, true, "", w.now, w.now));
    CHECK(w.score(0, 0) == 1);
    CHECK(w.lines_with("is back") == 1);
    CHECK(w.lines_with("s3cret") == 0);
}

TEST_CASE("availability is of time in service, and what an operator wanted does not count") {
    World w(2, 1);
    w.config.pools[0].health_check = a_check();
    w.update();
    w.look(600s);
    check(w, 0, 0, false);
    check(w, 0, 0, false);
    w.look(198s);  // 600 + 2 in, 198 out
    w.look(200s);
    CHECK(*w.status(0).availability.hour == doctest::Approx(602.0 / 1000).epsilon(0.01));
    CHECK(*w.status(1).availability.hour == 1);
    CHECK(*w.verdicts.status().availability.hour == 1);  // the route had p1
    CHECK(w.verdicts.fail("p1", 100s, w.now) == "");
    w.look(0s);
    w.look(99s);
    CHECK(*w.status(1).availability.hour == 1);
    CHECK(*w.verdicts.status().availability.hour < 1);
}

TEST_CASE("a route that an operator has taken out is left out of the availability of the whole") {
    World w(2, 1);
    config::Route one, other;
    one.pools.push_back({"p0", 1, 0, {}});
    other.pools.push_back({"p1", 1, 0, {}});
    w.config.routes = {one, other};
    w.config.pools[0].health_check = a_check();
    w.update();
    w.look(100s);
    CHECK(w.verdicts.fail("p1", no_limit, w.now) == "");
    w.look(0s);
    w.look(100s);
    CHECK(*w.verdicts.status().availability.hour == 1);
    check(w, 0, 0, false);  // the route that is left
    check(w, 0, 0, false);
    w.look(100s);
    CHECK(*w.verdicts.status().availability.hour < 1);
}

TEST_CASE("time that nobody looked at counts for what was, not for what a look finds") {
    World w(1, 1);
    w.config.pools[0].health_check = a_check();
    w.update();
    w.look(100s);
    // Asleep; then its checks fail.
    w.now += 298s;
    check(w, 0, 0, false);
    check(w, 0, 0, false);
    CHECK(w.standing(0, 0) == Standing::unhealthy);
    CHECK(*w.status(0).availability.hour == 1);
    w.now += 98s;  // and pass again
    check(w, 0, 0, true);
    check(w, 0, 0, true);
    CHECK(*w.status(0).availability.hour == doctest::Approx(0.8).epsilon(0.01));
    w.now += 300s;
    CHECK(w.verdicts.fail("p0", no_limit, w.now) == "");
    CHECK(*w.status(0).availability.hour == doctest::Approx(0.875).epsilon(0.01));
    w.now += 500s;
    CHECK(w.verdicts.unfail("p0", w.now) == "");
    w.now += 200s;
    w.update();  // a reload
    CHECK(*w.status(0).availability.hour == doctest::Approx(0.9).epsilon(0.01));
}

TEST_CASE("a command takes effect as of now, whenever the last look was") {
    World w(1, 2);
    w.calm(1s);
    CHECK(w.verdicts.drain("p0", w.text(0, 0), w.now) == "");
    w.now += 1h;
    CHECK(w.verdicts.undrain("p0", w.text(0, 0), w.now) == "");
    w.look();
    CHECK(w.score(0, 0) < 0.1);  // its return has just begun
    w.now += 1h;
    CHECK(w.verdicts.scale("p0", {.factor = {}, .active = 1}, w.now) == "");
    w.now += 1h;
    CHECK(w.verdicts.scale("p0", {.factor = {}, .active = 2}, w.now) == "");
    w.look();
    CHECK(w.score(0, 1) < 0.1);
}

TEST_CASE("a check that could not be made changes nothing and comes an interval later") {
    World w(1, 1);
    w.config.pools[0].health_check = a_check();
    config::Dependency database;
    database.url = database.shown = "tcp://db:5432";
    w.config.pools[0].depends_on = {database};
    w.update();
    for (int i = 0; i < 10; ++i) {
        w.now += 2s;
        const TimePoint due = w.verdicts.unchecked("p0", w.text(0, 0), w.now - 1s, w.now);
        CHECK(due > w.now);
        CHECK(due <= w.now + 2s);
        CHECK(w.verdicts.dependency_unchecked("p0", database.url, w.now, w.now) > w.now);
    }
    CHECK(w.standing(0, 0) == Standing::in);
    CHECK(w.score(0, 0) == 1);
    CHECK(w.status(0).depends_on[0].up);
    CHECK(w.verdicts.unchecked("p0", "10.9.9.9:80", w.now, w.now) == never);
    CHECK(w.verdicts.dependency_unchecked("p0", "tcp://other:1", w.now, w.now) == never);
    CHECK(w.lines.empty());
}

TEST_CASE("what nobody asks for any more has no share") {
    World w(2, 1);
    w.calm(2s);
    CHECK(w.status(0).share == doctest::Approx(0.5));
    w.look(10s);
    CHECK(w.status(0).share == doctest::Approx(0.5));
    w.look(150s);
    CHECK(w.status(0).share == 0);
}
