// When a node is left alone, and for how long.
#include "cache/redis/breaker.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"

using namespace scrollgate;
using namespace scrollgate::redis;
using namespace std::chrono_literals;

TEST_CASE("a row of deadlines opens the breaker; an answer in time between them does not let it") {
    Breaker breaker;
    breaker.closed(TimePoint{});
    for (unsigned i = 1; i < limits::redis_missed; ++i)
        CHECK_FALSE(breaker.late());
    breaker.in_time();
    for (unsigned i = 1; i < limits::redis_missed; ++i)
        CHECK_FALSE(breaker.late());
    CHECK(breaker.late());
}

TEST_CASE(
    "pauses double up to a bound, each with its own dice; what has proven itself starts over") {
    FastRng rng(1);
    Breaker breaker;
    TimePoint now{1h};
    Duration most = limits::redis_pause;
    bool same = true;
    for (int i = 0; i < 12; ++i) {
        const Duration pause = breaker.opened(now, rng, true);
        CHECK(pause <= most);
        CHECK(pause >= most / 2);
        same = same && pause == most;
        most = std::min<Duration>(most * 2, limits::redis_pause_max);
        breaker.closed(now);  // at once, but never proven
    }
    CHECK_FALSE(same);
    CHECK(most == limits::redis_pause_max);
    breaker.closed(now);
    now += limits::redis_proven;
    CHECK(breaker.opened(now, rng, true) <= limits::redis_pause);
    breaker.closed(now);
    now += limits::redis_proven;
    CHECK(breaker.opened(now, rng, false) <= limits::redis_at_once);
    breaker.closed(now);
    CHECK(breaker.opened(now, rng, false) >= limits::redis_pause / 2);
}
