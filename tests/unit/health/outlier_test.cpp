// One endpoint's evidence against what the others show.
#include "health/outlier.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

struct Case {
    std::optional<Suspicion> suspect() {
        return detector.suspect(evidence, own, peers, rules, now);
    }
    void others_answer() { peers.last_answer = now.time_since_epoch().count(); }

    OutlierDetector detector;
    Evidence evidence;
    Tally own{100, 0};
    PeerEvidence peers{
        .last_answer = 0, .fresh = {1000, 0}, .best_success = 1, .best_samples = 1000};
    config::Outlier rules;
    TimePoint now{1h};
};

}  // namespace

TEST_CASE("refused twice is enough, whatever the others do") {
    Case c;
    c.peers = {};
    c.evidence.refused_run = 1;
    CHECK_FALSE(c.suspect());
    c.evidence.refused_run = 2;
    const auto suspicion = c.suspect();
    REQUIRE(suspicion);
    CHECK(suspicion->reason == EjectReason::refused);
    CHECK(suspicion->unbounded());
}

TEST_CASE("silence ejects only when others have answered meanwhile") {
    Case c;
    c.others_answer();  // before the silence: tells nothing, our own uplink may be gone
    c.now += 1s;
    c.evidence.unanswered_run = 3;
    CHECK_FALSE(c.suspect());
    CHECK(c.detector.waits());
    c.now += 10s;
    CHECK_FALSE(c.suspect());
    c.others_answer();
    c.now += 10ms;
    const auto suspicion = c.suspect();
    REQUIRE(suspicion);
    CHECK(suspicion->reason == EjectReason::unanswered);
    CHECK(suspicion->unbounded());
    CHECK_FALSE(c.detector.waits());
}

TEST_CASE("ten requests in a row that it would not take eject, if it goes on") {
    Case c;
    c.peers = {};  // whatever the others do: it has answered, after all
    c.evidence.turned_back_run = 9;
    CHECK_FALSE(c.suspect());
    c.evidence.turned_back_run = 10;
    const auto suspicion = c.suspect();
    REQUIRE(suspicion);
    CHECK(suspicion->reason == EjectReason::refused);
    CHECK(suspicion->unbounded());
    CHECK(suspicion->why == "took none of 10 requests in a row");
    Case at_once;  // a server that shuts down, with all that is under way
    at_once.evidence.turned_back_run = 100;
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(at_once.suspect());
        CHECK(at_once.detector.waits());
    }
    at_once.evidence.turned_back_run = 101;
    CHECK(at_once.suspect());
    // Back, the run of before tells nothing; one more does.
    c.detector.eject(suspicion->reason, c.evidence, 5s, c.now);
    c.now += 6s;
    REQUIRE(c.detector.returns(c.evidence, false, c.now));
    CHECK_FALSE(c.suspect());
    c.evidence.turned_back_run = 11;
    CHECK_FALSE(c.suspect());
    c.evidence.turned_back_run = 12;
    CHECK(c.suspect());
}

TEST_CASE("two attempts without an answer are no silence") {
    Case c;
    c.evidence.unanswered_run = 2;
    CHECK_FALSE(c.suspect());
    c.now += 1s;
    c.others_answer();
    CHECK_FALSE(c.suspect());
    CHECK_FALSE(c.detector.waits());
}

TEST_CASE("a run of 5xx must be rarer than the others' errors explain") {
    Case c;
    c.evidence.error_run = 2;
    CHECK_FALSE(c.suspect());
    c.evidence.error_run = 3;
    REQUIRE(c.suspect());
    CHECK(c.suspect()->reason == EjectReason::server_errors);
    CHECK_FALSE(c.suspect()->unbounded());

    Case shared;
    shared.peers.fresh = {97, 3};
    shared.evidence.error_run = 3;
    CHECK_FALSE(shared.suspect());
    CHECK_FALSE(shared.suspect());
    shared.evidence.error_run = 6;
    CHECK(shared.suspect());

    Case mixed;  // one of two pages is broken, and asked for in bunches
    mixed.peers.fresh = {50, 50};
    mixed.evidence.error_run = 40;
    CHECK_FALSE(mixed.suspect());
    CHECK_FALSE(mixed.suspect());

    Case everybody;
    everybody.peers.fresh = {0, 1000};
    everybody.evidence.error_run = 5000;
    CHECK_FALSE(everybody.suspect());

    Case alone;
    alone.peers.fresh = {};
    alone.evidence.error_run = 5000;
    CHECK_FALSE(alone.suspect());
    CHECK(alone.detector.waits());
    alone.peers.fresh = {2, 0};  // a word at a time
    CHECK_FALSE(alone.suspect());
    CHECK(alone.suspect());
}

TEST_CASE("`consecutive` raises the run") {
    Case c;
    c.rules.consecutive = 7;
    c.evidence.error_run = 6;
    CHECK_FALSE(c.suspect());
    c.evidence.error_run = 7;
    CHECK(c.suspect());
}

TEST_CASE("a rate of success far below the others' ejects, with enough attempts on both sides") {
    Case c;
    c.own = {60, 40};
    REQUIRE(c.suspect());
    CHECK(c.suspect()->reason == EjectReason::success_rate);
    c.peers.best_success = 0.7;  // they fail as well
    CHECK_FALSE(c.suspect());
    c.peers.best_success = 1;
    c.peers.best_samples = 10;
    CHECK_FALSE(c.suspect());
    c.peers.best_samples = 100;
    c.own = {2, 8};
    CHECK_FALSE(c.suspect());
}

TEST_CASE("turned off, nothing is suspected") {
    Case c;
    c.rules.enabled = false;
    c.evidence.refused_run = 9;
    CHECK_FALSE(c.suspect());
}

TEST_CASE("it comes back by time, and only new evidence counts then") {
    Case c;
    c.evidence.refused_run = 2;
    CHECK(c.detector.eject(EjectReason::refused, c.evidence, 5s, c.now) == 5s);
    CHECK_FALSE(c.suspect());
    c.now += 4999ms;
    CHECK_FALSE(c.detector.returns(c.evidence, false, c.now));
    c.now += 1ms;
    CHECK(c.detector.returns(c.evidence, false, c.now));
    CHECK_FALSE(c.suspect());
    c.evidence.refused_run = 3;  // still dead: one trial is enough
    CHECK(c.suspect());
}

TEST_CASE("an answer between two looks makes a run of the same length a new one") {
    Case c;
    c.evidence.refused_run = 2;
    c.evidence.unanswered_run = 3;
    c.evidence.error_run = 3;
    c.detector.eject(EjectReason::refused, c.evidence, 5s, c.now);
    c.now += 5s;
    REQUIRE(c.detector.returns(c.evidence, false, c.now));
    CHECK_FALSE(c.suspect());
    c.evidence.server_errors += 1;
    Case failing = c;
    REQUIRE(c.suspect());
    CHECK(c.suspect()->reason == EjectReason::refused);
    failing.evidence.refused_run = failing.evidence.unanswered_run = 0;
    CHECK_FALSE(failing.suspect());  // a 5xx ends no run of 5xx
    failing.evidence.answers += 1;
    CHECK_FALSE(failing.suspect());  // what the others gave before the run is no measure
    CHECK(failing.detector.waits());
    REQUIRE(failing.suspect());
    CHECK(failing.suspect()->reason == EjectReason::server_errors);
}

TEST_CASE("ejections grow for who comes and goes, not for who is simply dead") {
    Case c;
    for (int i = 0; i < 5; ++i) {  // dead all along
        c.evidence.refused_run += 2;
        CHECK(c.detector.eject(EjectReason::refused, c.evidence, 5s, c.now) == 5s);
        c.now += 5s;
        REQUIRE(c.detector.returns(c.evidence, false, c.now));
    }
    for (int times = 2; times < 80; ++times) {  // answers, and dies again
        c.evidence.answers += 1;
        c.evidence.refused_run = 2;
        const Duration span = c.detector.eject(EjectReason::refused, c.evidence, 5s, c.now);
        CHECK(span == std::min<Duration>(times * 5s, limits::outlier_ejection_max));
        c.now += span;
        REQUIRE(c.detector.returns(c.evidence, false, c.now));
    }
}

TEST_CASE("passing checks bring back at once who has died once, not who dies again and again") {
    Case c;
    for (int times = 1; times < 80; ++times) {
        c.evidence.answers += 1;
        c.evidence.refused_run = 2;
        const TimePoint until =
            c.now + c.detector.eject(EjectReason::refused, c.evidence, 5s, c.now);
        const TimePoint held = std::min(until, c.now + (times - 1) * 5s);
        CHECK((times == 1 || !c.detector.returns(c.evidence, true, held - 1ms)));
        c.now = held;
        REQUIRE(c.detector.returns(c.evidence, true, c.now));
    }
}

TEST_CASE("good service forgives, one ejection after the other") {
    Case c;
    for (int i = 0; i < 3; ++i) {
        c.evidence.answers += 1;
        c.now += c.detector.eject(EjectReason::server_errors, c.evidence, 5s, c.now);
        REQUIRE(c.detector.returns(c.evidence, false, c.now));
    }
    CHECK(c.detector.times() == 3);
    c.now += 19s;
    c.detector.forgive(5s, c.now);
    CHECK(c.detector.times() == 3);
    c.now += 1s;
    c.detector.forgive(5s, c.now);
    c.detector.forgive(5s, c.now);
    CHECK(c.detector.times() == 2);
    c.now += 20s;
    c.detector.forgive(5s, c.now);
    CHECK(c.detector.times() == 1);
}

TEST_CASE("an answer, or passed checks, end an ejection for silence early, but none for errors") {
    for (const EjectReason reason : {EjectReason::unanswered, EjectReason::server_errors}) {
        const bool silent = reason == EjectReason::unanswered;
        Case c;
        c.evidence.unanswered_run = 3;
        c.detector.eject(reason, c.evidence, 5s, c.now);
        CHECK_FALSE(c.detector.returns(c.evidence, false, c.now + 1s));
        Case checked = c;
        CHECK(checked.detector.returns(c.evidence, true, c.now + 1s) == silent);
        c.evidence.answers += 1;
        c.evidence.unanswered_run = 0;
        CHECK(c.detector.returns(c.evidence, false, c.now + 1s) == silent);
    }
}
