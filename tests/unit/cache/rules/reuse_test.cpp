// When a stored response answers (RFC 9111 sections 4 and 5.2.1, RFC 5861).
#include "cache/rules/reuse.hpp"

#include <cmath>
#include <random>

#include <doctest/doctest.h>

#include "tests/unit/cache/allocations.hpp"
#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;
using Kind = Reuse::Kind;

namespace {

const TimePoint start{1h};

Freshness fresh_for(std::uint32_t seconds) {
    Freshness f;
    f.received = start;
    f.lifetime = seconds;
    return f;
}

Reuse judge(std::string_view control, const Freshness& stored, TimePoint now, bool soft = false) {
    const HeaderList list = control.empty() ? HeaderList{} : fields({{"Cache-Control", control}});
    return judge_reuse(request_control(list), stored, soft, now);
}

}  // namespace

TEST_CASE("RFC 9111 4.2: fresh while the lifetime exceeds the age") {
    const Freshness f = fresh_for(60);
    const Reuse at_once = judge("", f, start);
    CHECK(at_once.kind == Kind::fresh);
    CHECK(at_once.reason == CacheReason::none);
    CHECK(at_once.ttl == 60);
    CHECK(judge("", f, start + 59s).kind == Kind::fresh);
    const Reuse late = judge("", f, start + 60s);
    CHECK(late.kind == Kind::validate);
    CHECK(late.reason == CacheReason::expired);
    CHECK(late.age == 60);
    CHECK(judge("", f, start + 70s).ttl == -10);
}

TEST_CASE("RFC 9111 5.2.1.4, 5.4: no-cache, also as Pragma") {
    CHECK(judge("no-cache", fresh_for(60), start).reason == CacheReason::request_no_cache);
    CHECK_FALSE(judge("no-cache", fresh_for(60), start).if_error);
    CHECK(request_control(fields({{"Pragma", "foo, No-Cache"}})).no_cache);
    CHECK_FALSE(request_control(fields({{"Pragma", "foo"}})).no_cache);
    CHECK_FALSE(
        request_control(fields({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=5"}})).no_cache);
}

TEST_CASE("RFC 9111 5.2.1.5: no-store is not answered from what is stored") {
    CHECK(judge("no-store", fresh_for(60), start).reason == CacheReason::request_no_store);
}

TEST_CASE("RFC 9111 5.2.1.1: max-age") {
    CHECK(judge("max-age=5", fresh_for(60), start + 5s).kind == Kind::fresh);
    const Reuse older = judge("max-age=5", fresh_for(60), start + 6s);
    CHECK(older.kind == Kind::validate);
    CHECK(older.reason == CacheReason::request_max_age);
    CHECK(older.if_error);
    CHECK(judge("max-age=0", fresh_for(60), start + 1s).kind == Kind::validate);
}

TEST_CASE("RFC 8246 2: a reload does not validate what is immutable and fresh") {
    Freshness f = fresh_for(60);
    f.immutable = true;
    CHECK(judge("max-age=0", f, start + 1s).kind == Kind::fresh);
    CHECK(judge("no-cache", f, start + 1s).kind == Kind::validate);
    CHECK(judge("max-age=0", f, start + 61s).kind == Kind::validate);
    CHECK(judge("max-age=0, min-fresh=90", f, start + 1s).kind == Kind::validate);
}

TEST_CASE("RFC 9111 5.2.1.3: min-fresh") {
    CHECK(judge("min-fresh=50", fresh_for(60), start + 10s).kind == Kind::fresh);
    CHECK(judge("min-fresh=51", fresh_for(60), start + 10s).reason == CacheReason::request_max_age);
}

TEST_CASE("RFC 9111 5.2.1.2: max-stale, never against must-revalidate") {
    Freshness f = fresh_for(60);
    CHECK(judge("max-stale=10", f, start + 70s).kind == Kind::stale);
    CHECK(judge("max-stale=10", f, start + 71s).kind == Kind::validate);
    CHECK(judge("max-stale", f, start + 10h).kind == Kind::stale);
    CHECK(judge("max-stale, max-age=100", f, start + 101s).kind == Kind::validate);
    f.must_revalidate = true;
    CHECK(judge("max-stale", f, start + 70s).kind == Kind::validate);
}

TEST_CASE("RFC 9111 5.2.2.4: what was stored with no-cache is validated before each use") {
    Freshness f = fresh_for(60);
    f.no_cache = true;
    f.while_revalidate = 60;
    const Reuse reuse = judge("", f, start);
    CHECK(reuse.kind == Kind::validate);
    CHECK(reuse.reason == CacheReason::must_validate);
    CHECK_FALSE(reuse.if_error);
    CHECK_FALSE(reuse.if_slow);
    CHECK(judge("max-stale", f, start + 70s).kind == Kind::validate);
}

TEST_CASE("RFC 5861 3: stale-while-revalidate answers within its window") {
    Freshness f = fresh_for(60);
    f.while_revalidate = 4;
    const Reuse inside = judge("", f, start + 63s);
    CHECK(inside.kind == Kind::refresh);
    CHECK(inside.reason == CacheReason::expired);
    CHECK(judge("", f, start + 64s).kind == Kind::validate);
    CHECK(judge("max-age=5", f, start + 61s).kind == Kind::validate);
    CHECK(judge("min-fresh=1", f, start + 61s).kind == Kind::validate);
    f.must_revalidate = true;  // and the response grants the window itself
    CHECK(judge("", f, start + 63s).kind == Kind::refresh);
}

TEST_CASE("RFC 5861 4: stale-if-error stands in within its window") {
    Freshness f = fresh_for(60);
    f.if_error = 10;
    CHECK(judge("", f, start + 69s).if_error);
    CHECK_FALSE(judge("", f, start + 70s).if_error);
    CHECK(judge("stale-if-error=20", f, start + 79s).if_error);
    f.must_revalidate = true;
    CHECK_FALSE(judge("stale-if-error=20", f, start + 79s).if_error);
    CHECK_FALSE(judge("", fresh_for(60), start + 60s).if_error);
}

TEST_CASE("RFC 9111 4.2.4: a slow origin is answered for only if nothing forbids it") {
    Freshness f = fresh_for(60);
    CHECK(judge("", f, start + 61s).if_slow);
    CHECK(judge("", f, start + 59s + limits::cache_kept).if_slow);
    CHECK_FALSE(judge("", f, start + 61s + limits::cache_kept).if_slow);
    CHECK_FALSE(judge("max-age=5", f, start + 61s).if_slow);
    f.must_revalidate = true;
    CHECK_FALSE(judge("", f, start + 61s).if_slow);
}

TEST_CASE("RFC 9111 4: what was softly purged is validated first, and may stand in") {
    const Reuse reuse = judge("", fresh_for(60), start, true);
    CHECK(reuse.kind == Kind::validate);
    CHECK(reuse.reason == CacheReason::purged);
    CHECK(reuse.if_error);
    CHECK_FALSE(reuse.if_slow);
    CHECK(judge("max-stale", fresh_for(60), start, true).kind == Kind::validate);
    Freshness strict = fresh_for(60);
    strict.must_revalidate = true;
    CHECK_FALSE(judge("", strict, start, true).if_error);
    strict.if_error = 60;  // the response grants it (4.2.4)
    CHECK(judge("", strict, start, true).if_error);
}

TEST_CASE("RFC 9111 4.2.2: an estimate is for nobody who says who he is") {
    const HeaderList cookie = fields({{"Cookie", "user=1"}});
    const HeaderList authorization = fields({{"Cookie", "a=1"}, {"Authorization", "Basic x"}});
    const HeaderList neither = fields({{"Accept", "*/*"}});
    Freshness said = fresh_for(60);
    CHECK(judge_estimate(said, cookie) == CacheReason::none);
    CHECK(judge_estimate(said, authorization) == CacheReason::none);
    said.heuristic = true;
    CHECK(judge_estimate(said, neither) == CacheReason::none);
    CHECK(judge_estimate(said, cookie) == CacheReason::cookie);
    CHECK(judge_estimate(said, authorization) == CacheReason::authorization);
}

TEST_CASE("XFetch: the nearer the end and the slower the origin, the sooner it is refreshed") {
    Freshness f = fresh_for(60);
    f.took_ms = 1000;
    CHECK_FALSE(refresh_early(f, start, 0.5));
    CHECK(refresh_early(f, start + 59'500ms, 0.5));  // -ln 0.5 = 0.69 s
    CHECK_FALSE(refresh_early(f, start + 59'000ms, 0.5));
    CHECK(refresh_early(f, start + 59'000ms, 0.3));
    CHECK_FALSE(refresh_early(f, start + 59'999ms, 1.0));
    CHECK_FALSE(refresh_early(f, start + 60s, 0.001));  // stale: too late to be early
}

TEST_CASE("XFetch: an origin that answers at once counts as if it took 200 ms, near the end") {
    Freshness f = fresh_for(60);
    CHECK(is_near_end(f, start + 59s));
    CHECK(refresh_early(f, start + 59'900ms, 0.5));  // 0.2 s * -ln 0.5 = 0.139 s
    CHECK_FALSE(refresh_early(f, start + 59'850ms, 0.5));
    CHECK_FALSE(refresh_early(f, start + 60s, 0.001));
    f = fresh_for(4);
    CHECK_FALSE(refresh_early(f, start + 2'999ms, 1e-15));  // before the last quarter
    CHECK(refresh_early(f, start + 3'001ms, 1e-15));
    f.initial_age = 2;  // of the two seconds that are left
    CHECK_FALSE(refresh_early(f, start + 1'499ms, 1e-15));
    CHECK(refresh_early(f, start + 1'501ms, 1e-15));
    f = fresh_for(4);
    f.took_ms = 2000;  // a slow one has to be asked in time
    CHECK(refresh_early(f, start + 1s, 0.2));
}

TEST_CASE("XFetch: what is asked for 50 times per second is missed once, by an origin of 0 ms") {
    std::mt19937_64 random(5);
    std::uniform_real_distribution<double> dice(0x1p-53, 1);
    for (const auto& [lifetime, took_ms] :
         {std::pair(1U, 0U), std::pair(2U, 0U), std::pair(10U, 0U), std::pair(60U, 0U),
          std::pair(2U, 20U)}) {
        CAPTURE(lifetime);
        TimePoint now = start;
        Freshness f = fresh_for(lifetime);
        f.took_ms = took_ms;
        unsigned misses = 1, fetches = 1;
        constexpr unsigned lifetimes = 200;
        for (unsigned i = 0; i < 50 * lifetime * lifetimes; ++i) {
            now += 20ms;
            const bool missed = f.ttl(now) <= 0;
            if (!missed && !(is_near_end(f, now) && refresh_early(f, now, dice(random)))) continue;
            misses += missed ? 1 : 0;
            ++fetches;
            f.received = now;
        }
        CHECK(misses == 1);
        CHECK(fetches <= lifetimes * 4 / 3 + 1);
        CHECK(fetches > lifetimes);
    }
}

TEST_CASE("judging reuse allocates nothing") {
    const HeaderList request =
        fields({{"Cache-Control", "max-age=600, max-stale=\"5\", foo=bar"}, {"Pragma", "a"}});
    const Freshness f = fresh_for(60);
    const std::size_t before = allocations();
    const Reuse reuse = judge_reuse(request_control(request), f, false, start);
    const bool early = refresh_early(f, start, 0.5);
    const std::size_t made = allocations() - before;
    CHECK(made == 0);
    CHECK(reuse.kind == Kind::fresh);
    CHECK_FALSE(early);
    CHECK(allocations() > 0);  // the counter counts
}
