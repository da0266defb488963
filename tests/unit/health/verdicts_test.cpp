// Verdicts with hundreds of endpoints: ejection, return, scores, on a manual clock.
#include "tests/unit/health/world.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("in calm everything is in with its whole score, and nothing is written or said") {
    World w(3, 100);
    w.calm(5s);
    const std::uint64_t epoch = w.epoch(0);
    w.calm(60s);
    for (int p = 0; p < 3; ++p) {
        for (int e = 0; e < 100; ++e) {
            CHECK(w.standing(p, e) == Standing::in);
            CHECK(w.score(p, e) == 1);
        }
    }
    CHECK(w.epoch(0) == epoch);
    CHECK(w.lines.empty());
    CHECK(w.share(2) == doctest::Approx(1.0 / 3));  // farther away, and not punished for it
}

TEST_CASE("a cloud that refuses is out with the bell, all of it, and back with a trickle") {
    World w(3, 100);
    w.calm(5s);
    for (int e = 0; e < 100; ++e)
        CHECK(w.attempts(0, e, 2, AttemptEnd::refused));
    w.look(1ms);
    for (int e = 0; e < 100; ++e)
        CHECK(w.standing(0, e) == Standing::ejected);
    CHECK(w.lines_with("is ejected (was in): refused 2 connections in a row, for 5 s") == 100);
    CHECK(w.status(0).state == "out");
    CHECK(w.state(0, 7).ejections == 1);
    CHECK(w.share(0) == 0);
    w.calm(5s);
    CHECK(w.standing(0, 0) == Standing::in);
    CHECK(w.share(0) < 0.1);
    w.calm(3100ms);
    CHECK(w.share(0) == doctest::Approx(1.0 / 3).epsilon(0.02));
}

TEST_CASE("an endpoint that is still dead costs one attempt per ejection, forever") {
    World w(2, 10);
    w.calm(5s);
    int trials = 2;
    w.attempts(0, 3, 2, AttemptEnd::refused);
    w.look(1ms);
    for (int i = 0; i < 600; ++i) {
        if (w.standing(0, 3) == Standing::in) {
            ++trials;
            w.attempts(0, 3, 1, AttemptEnd::refused);
        }
        for (int p = 0; p < 2; ++p) {
            for (int e = 0; e < 10; ++e) {
                if (p == 1 || e != 3) w.attempts(p, e, 5, AttemptEnd::answered);
            }
        }
        w.look();
    }
    CHECK(trials <= 2 + 60 / 5 + 1);
    CHECK(trials >= 10);
    w.calm(9s);  // it lives again
    CHECK(w.score(0, 3) == 1);
}

TEST_CASE("a frozen cloud is out as soon as others have answered after it fell silent") {
    World w(3, 50);
    w.calm(5s);
    w.now += 50ms;
    for (int e = 0; e < 50; ++e)
        CHECK(w.attempts(1, e, 3, AttemptEnd::overdue, 100ms));
    const TimePoint again = w.look(1ms);
    CHECK(again == w.now + limits::health_look_again);
    CHECK(w.standing(1, 0) == Standing::in);  // the others' answers are older than the silence
    w.now += 5ms;
    w.attempts(0, 0, 1, AttemptEnd::answered);
    w.look(5ms);
    for (int e = 0; e < 50; ++e)
        CHECK(w.standing(1, e) == Standing::ejected);
    CHECK(w.standing(0, 0) == Standing::in);
    // A late answer to what was under way: it thaws.
    w.attempts(1, 4, 1, AttemptEnd::answered, 2s);
    w.look();
    CHECK(w.standing(1, 4) == Standing::in);
}

TEST_CASE("when our own way out is gone nobody is ejected for silence") {
    World w(3, 50);
    w.calm(5s);
    for (int round = 0; round < 50; ++round) {
        for (int p = 0; p < 3; ++p) {
            for (int e = 0; e < 50; ++e)
                w.attempts(p, e, 1, AttemptEnd::silent, 1s);
        }
        w.look();
    }
    for (int p = 0; p < 3; ++p)
        CHECK(w.status(p).state != "out");
    CHECK(w.lines_with("ejected") == 0);
}

TEST_CASE("an error that all give ejects nobody and lowers no score") {
    World w(3, 50);
    w.calm(5s);
    for (int round = 0; round < 100; ++round) {
        for (int p = 0; p < 3; ++p) {
            for (int e = 0; e < 50; ++e)
                w.attempts(p, e, 10, AttemptEnd::server_error);
        }
        w.look();
    }
    CHECK(w.lines_with("ejected") == 0);
    CHECK(w.score(1, 1) > 0.9);
}

TEST_CASE("two of four that give nothing but errors are out, each in spite of the other") {
    World w(1, 4);
    w.calm(2s);
    const auto run = [&](Duration span, bool all) {  // ten requests a second
        for (Duration t{}; t < span; t += 400ms) {
            for (int e = 0; e < 4; ++e) {
                const bool fails = all || e < 2;
                w.attempts(0, e, 1, fails ? AttemptEnd::server_error : AttemptEnd::answered);
                w.look();
            }
        }
    };
    run(5s, true);
    for (int e = 0; e < 4; ++e)
        CHECK(w.state(0, e).ejections == 0);  // all do it
    w.all_answer(1);
    run(10s, false);
    for (int e = 0; e < 4; ++e)
        CHECK((w.state(0, e).ejections > 0) == (e < 2));
}

TEST_CASE("half of a cloud's answers failing: below 5 % of the share within 2 s, for good") {
    World w(3, 100);
    w.calm(10s);
    for (int round = 0; round < 300; ++round) {
        for (int p = 0; p < 3; ++p) {
            for (int e = 0; e < 100; ++e) {
                if (w.standing(p, e) != Standing::in) continue;
                const int count = std::max(1, static_cast<int>(25 * w.score(p, e)));
                for (int i = 0; i < count; ++i) {
                    const bool bad = p == 0 && w.rng.below(2) == 0;
                    w.attempts(p, e, 1, bad ? AttemptEnd::server_error : AttemptEnd::answered);
                }
            }
        }
        w.look();
        if (round > 20) CHECK(w.share(0) < 0.05);
    }
    CHECK(w.lines_with("p1") == 0);
}

TEST_CASE("half of the answers of a busy cloud failing: it is out after two looks") {
    World w(3, 2);
    const auto one_look = [&w](bool sick) {
        for (int p = 0; p < 3; ++p) {
            for (int e = 0; e < 2; ++e) {
                for (int i = 0; i < (p == 0 ? 60 : 10); ++i) {
                    const bool bad = sick && p == 0 && i % 2 == 0;
                    w.attempts(p, e, 1, bad ? AttemptEnd::server_error : AttemptEnd::answered);
                }
            }
        }
        w.look();
    };
    for (int round = 0; round < 100; ++round)
        one_look(false);
    one_look(true);
    one_look(true);
    CHECK(w.share(0) < 0.05);
    CHECK(w.lines_with("p1") == 0);
}

TEST_CASE("those of a pool that fail show against one of it that nobody asks") {
    World w(1, 4);
    for (int round = 0; round < 10; ++round) {
        for (int e = 0; e < 3; ++e)
            w.attempts(0, e, 5, AttemptEnd::server_error);
        w.look();
    }
    CHECK(w.score(0, 0) < 0.2);
    CHECK(w.score(0, 3) > 0.9);
    CHECK(w.lines_with("ejected") == 0);
}

TEST_CASE("who was the measure for others and has left is none any more") {
    World w(1, 4);
    for (int round = 0; round < 10; ++round) {
        for (int e = 0; e < 3; ++e)
            w.attempts(0, e, 5, e == 0 ? AttemptEnd::answered : AttemptEnd::server_error);
        w.look();
    }
    CHECK(w.score(0, 1) < 0.2);
    w.endpoints[0].erase(w.endpoints[0].begin());
    w.endpoints[0].erase(w.endpoints[0].begin() + 2);
    w.update();  // reads nothing of theirs, says the sanitizer
    for (int round = 0; round < 3; ++round) {
        for (int e = 0; e < 2; ++e)
            w.attempts(0, e, 5, AttemptEnd::server_error);
        w.look();
    }
    CHECK(w.score(0, 0) > 0.9);
    CHECK(w.score(0, 1) > 0.9);
}

TEST_CASE("an address that leaves and comes back is still what it was") {
    World w(2, 3);
    w.attempts(0, 2, 3, AttemptEnd::refused);
    w.look();
    REQUIRE(w.standing(0, 2) == Standing::ejected);
    const auto leave = [&w] {
        w.endpoints[0].pop_back();
        w.update();
    };
    leave();
    w.grow(0, 1, false);
    w.update();
    CHECK(w.standing(0, 2) == Standing::ejected);
    leave();
    w.now += limits::departed_kept + 1s;
    w.update();
    w.grow(0, 1, false);
    w.update();
    CHECK(w.standing(0, 2) == Standing::in);
}

TEST_CASE("of many addresses that have left only the last ones are remembered") {
    World w(1, 1 + 2 * static_cast<int>(limits::departed_most));
    const EndpointState* const first = &w.state(0, 1);
    w.endpoints[0].resize(1);
    w.update();
    w.grow(0, 2 * static_cast<int>(limits::departed_most), false);
    w.update();
    CHECK(w.standing(0, 1) == Standing::in);
    CHECK(&w.state(0, 1) != first);
}

TEST_CASE("a first good answer says no less about a pool than that nobody has asked it") {
    World w(2, 4);
    const auto fail = [&w] {
        for (int e = 0; e < 4; ++e)
            w.attempts(0, e, 5, AttemptEnd::server_error);
    };
    for (int round = 0; round < 10; ++round) {
        fail();
        w.look();
    }
    const float before = w.score(0, 0);
    CHECK(before < 0.2);
    for (int round = 0; round < 3; ++round) {
        fail();
        w.attempts(1, 0, 1, AttemptEnd::answered);
        w.look();
        CHECK(w.score(0, 0) <= before * 1.5F);
    }
}

TEST_CASE("one that is in says what lowers its score, and that nothing does any more") {
    World w(3, 4);
    w.calm(5s);
    const auto why = [&w] { return w.status(0).endpoints[0].why; };
    CHECK(why() == "nothing is wrong with it");
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 4; ++i) {
            w.attempts(0, 0, 1, AttemptEnd::server_error);
            w.all_answer(5);
        }
        w.look();
    }
    REQUIRE(w.standing(0, 0) == Standing::in);
    CHECK(why().ends_with("% of its last attempts have failed"));
    w.calm(5s);
    CHECK(why() == "nothing is wrong with it");
}

TEST_CASE("without another pool that is well max_ejected holds, but not for refusal") {
    World w(1, 10);
    w.calm(5s);
    for (int round = 0; round < 40; ++round) {
        for (int e = 0; e < 9; ++e)
            w.attempts(0, e, 10, AttemptEnd::server_error);
        w.attempts(0, 9, 10, AttemptEnd::answered);
        w.look();
    }
    const auto out = [&] {
        int count = 0;
        for (int e = 0; e < 10; ++e)
            count += w.standing(0, e) == Standing::ejected ? 1 : 0;
        return count;
    };
    CHECK(out() == 5);
    for (int e = 0; e < 10; ++e)
        w.attempts(0, e, 2, AttemptEnd::refused);
    w.look();
    CHECK(out() == 10);
}

TEST_CASE("with another pool that is well a whole pool may be ejected; not if that one is lost") {
    for (const bool other_is_lost : {false, true}) {
        World w(2, 10);
        w.calm(5s);
        if (other_is_lost) CHECK(w.verdicts.fail("p1", no_limit, w.now) == "");
        for (int round = 0; round < 50; ++round) {
            for (int e = 0; e < 9; ++e) {
                if (w.standing(0, e) == Standing::in)
                    w.attempts(0, e, 10, AttemptEnd::server_error);
            }
            w.attempts(0, 9, 10, AttemptEnd::answered);
            if (!other_is_lost) {
                for (int e = 0; e < 10; ++e)
                    w.attempts(1, e, 10, AttemptEnd::answered);
            }
            w.look();
        }
        int out = 0;
        for (int e = 0; e < 10; ++e)
            out += w.standing(0, e) == Standing::ejected ? 1 : 0;
        CHECK(out == (other_is_lost ? 5 : 9));
    }
}

TEST_CASE("twenty times slower: one endpoint or a cloud, below 5 % within 2 s; and back") {
    for (const int sick : {1, 100}) {
        World w(3, 100);
        w.calm(20s);
        for (int round = 0; round < 100; ++round) {
            for (int p = 0; p < 3; ++p) {
                for (int e = 0; e < 100; ++e) {
                    const bool slow = p == 2 && e < sick;
                    const int count = std::max(1, static_cast<int>(25 * w.score(p, e)));
                    w.attempts(p, e, count, AttemptEnd::answered,
                               (1 + 4 * p) * (slow ? 40ms : 2ms));
                }
            }
            w.look();
            if (round >= 20) CHECK(w.score(2, 0) < 0.05);
        }
        CHECK(w.lines_with("does badly") == sick);
        CHECK(w.score(2, 99) == (sick == 1 ? 1 : w.score(2, 0)));
        if (sick == 100) CHECK(w.share(2) < 0.05);
        for (int round = 0; round < 100; ++round) {
            for (int e = 0; e < 100; ++e)
                w.attempts(2, e, 2, AttemptEnd::answered, 18ms);
            w.look();
        }
        CHECK(w.score(2, 0) == 1);
        CHECK(w.lines_with("does well again") == sick);
    }
}

TEST_CASE("when all clouds become slower alike, no score falls") {
    World w(3, 20);
    w.calm(20s);
    for (int round = 0; round < 50; ++round) {
        for (int p = 0; p < 3; ++p) {
            for (int e = 0; e < 20; ++e)
                w.attempts(p, e, 25, AttemptEnd::answered, (1 + 4 * p) * 40ms);
        }
        w.look();
    }
    for (int p = 0; p < 3; ++p)
        CHECK(w.score(p, 0) > 0.9);
}

TEST_CASE("a suspicion that nobody can answer lets health rest all the same") {
    World w(1, 1);
    w.attempts(0, 0, 9, AttemptEnd::server_error);
    w.attempts(0, 0, 9, AttemptEnd::silent);
    TimePoint next = w.look();
    CHECK(next == w.now + limits::health_look_again);
    for (int i = 0; i < 100 && next != never; ++i)
        next = w.look();
    CHECK(next == never);
    CHECK(w.standing(0, 0) == Standing::in);
}

TEST_CASE("nobody looks while nothing happens, and ejections end by the clock all the same") {
    World w(2, 10);
    w.calm(1s);
    TimePoint next = w.now;
    for (int i = 0; i < 100 && next != never; ++i)
        next = w.look();
    CHECK(next == never);
    w.attempts(0, 0, 2, AttemptEnd::refused);
    next = w.look();
    CHECK(w.standing(0, 0) == Standing::ejected);
    int looks = 0;
    while (next != never) {
        REQUIRE(++looks < 200);
        w.look(next - w.now);
        next = w.verdicts.look(w.now);
    }
    CHECK(w.standing(0, 0) == Standing::in);
}

TEST_CASE("an endpoint that dies and comes back every second soon gets next to nothing") {
    World w(3, 2);
    w.calm(10s);
    double asked = 0, all = 0;
    for (int round = 0; round < 600; ++round) {
        const bool dead = round % 20 < 10;
        for (int p = 0; p < 3; ++p) {
            for (int e = 0; e < 2; ++e) {
                if (w.standing(p, e) != Standing::in) continue;
                const int count = std::max(1, static_cast<int>(25 * w.score(p, e)));
                const bool flaps = p == 0 && e == 0;
                if (flaps && dead) {
                    // Every attempt is tried elsewhere; the bell rings with the second.
                    w.attempts(p, e, 2, AttemptEnd::refused);
                    w.look(1ms);
                    asked += 2;
                } else {
                    w.attempts(p, e, count, AttemptEnd::answered);
                    if (flaps && round >= 20) asked += count;
                }
                if (round >= 20) all += count;
            }
        }
        w.look();
    }
    CHECK(asked / all < 0.05);
    CHECK(asked > 0);
    CHECK(w.state(0, 0).ejections >= 3);
    CHECK(w.state(0, 0).ejections <= 8);  // 5 s, 10 s, 15 s, …
}

TEST_CASE("a drained endpoint does not serve: it makes no room for one more ejection") {
    World w(1, 4);
    w.calm(2s);
    CHECK(w.verdicts.drain("p0", w.text(0, 2), w.now) == "");
    CHECK(w.verdicts.drain("p0", w.text(0, 3), w.now) == "");
    const auto errors = [&](int e) {
        for (int i = 0; i < 20; ++i) {
            w.attempts(0, 1 - e, 25, AttemptEnd::answered);
            w.attempts(0, e, 25, AttemptEnd::server_error);
            w.look();
        }
    };
    w.config.pools[0].outlier.max_ejected = 0.5;
    w.update();
    errors(0);
    CHECK(w.standing(0, 0) == Standing::ejected);
    // Half of the two that serve is out; of four one more would be allowed.
    errors(1);
    CHECK(w.standing(0, 1) == Standing::in);
}

TEST_CASE("without slow_start, too, an endpoint comes back from an ejection by a trickle") {
    World w(2, 2);
    w.config.pools[0].slow_start = 0s;
    w.update();
    w.calm(2s);
    w.attempts(0, 0, 2, AttemptEnd::refused);
    w.look();
    CHECK(w.standing(0, 0) == Standing::ejected);
    while (w.standing(0, 0) == Standing::ejected)
        w.look(1s);
    CHECK(w.score(0, 0) == doctest::Approx(limits::ramp_unproven));
    w.attempts(0, 0, 1, AttemptEnd::answered);
    w.look();
    CHECK(w.score(0, 0) > 0.9);
}

TEST_CASE("what connects take is forgotten only for as many newer ones") {
    World world(1, 1);
    LatencyWindow& connects = world.state(0, 0).connects;
    const auto connect = [&](unsigned count, Duration took) {
        for (unsigned i = 0; i < count; ++i)
            connects.record(took);
    };
    connect(limits::race_samples, 200ms);
    for (int i = 0; i < 5; ++i) {
        world.calm(limits::latency_window + 200ms);
        connect(2, 1ms);
    }
    CHECK(connects.quantile(0.99) >= 200ms);
    connect(limits::race_samples, 1ms);
    world.calm(limits::latency_window + 200ms);
    CHECK(connects.quantile(0.99) < 2ms);
    CHECK(connects.count() >= limits::race_samples);
}
