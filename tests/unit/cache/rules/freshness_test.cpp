// How long a response is fresh and how old it is (RFC 9111 section 4.2).
#include "cache/freshness.hpp"

#include <doctest/doctest.h>

#include "cache/rules/storing.hpp"
#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

Freshness freshness(Pairs answer, const config::RouteCache& route = plain_route(),
                    const Received& when = received()) {
    return judge_storing(get(), response(200, answer), route, when).freshness;
}

}  // namespace

TEST_CASE("RFC 9111 4.2.1: s-maxage, then max-age, then Expires, then the route") {
    config::RouteCache route = plain_route();
    route.default_ttl = 7s;
    route.heuristics = true;
    CHECK(freshness({{"Cache-Control", "max-age=1, s-maxage=60"}, {"Expires", hour_before}}, route)
              .lifetime == 60);
    CHECK(freshness({{"Cache-Control", "s-maxage=1, max-age=60"}}, route).lifetime == 1);
    CHECK(freshness({{"Cache-Control", "max-age=60"}, {"Expires", hour_later}}, route).lifetime ==
          60);
    CHECK(freshness({{"Date", then_text}, {"Expires", hour_later}}, route).lifetime == 3600);
    CHECK(freshness({{"Last-Modified", hour_before}}, route).lifetime == 7);
    CHECK(freshness({{"Last-Modified", hour_before}}, route).heuristic);
    CHECK_FALSE(freshness({{"Cache-Control", "max-age=60"}}, route).heuristic);
}

TEST_CASE("RFC 9111 5.3: Expires counts from Date, one that is no date has passed") {
    CHECK(
        freshness(
            {{"Date", hour_later}, {"Expires", "Sun, 06 Nov 1994 09:49:47 GMT"}, {"ETag", "\"a\""}})
            .lifetime == 10);
    CHECK(freshness({{"Date", "foo"}, {"Expires", hour_later}}).lifetime == 3600);
    CHECK(freshness({{"Expires", hour_later}}).lifetime == 3600);
    CHECK(freshness({{"Expires", "0"}, {"ETag", "\"a\""}}).lifetime == 0);
    CHECK(freshness({{"Date", hour_later}, {"Expires", then_text}, {"ETag", "\"a\""}}).lifetime ==
          0);
    CHECK(freshness({{"Expires", hour_later}, {"Expires", "x"}, {"ETag", "\"a\""}}).lifetime == 0);
    CHECK(freshness({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}).lifetime ==
          limits::cache_ttl_most);
}

TEST_CASE("RFC 9111 4.2.2: a tenth of the time since Last-Modified, at most a day, if asked for") {
    config::RouteCache route = plain_route();
    route.heuristics = true;
    CHECK(freshness({{"Date", then_text}, {"Last-Modified", hour_before}}, route).lifetime == 360);
    CHECK(freshness({{"Last-Modified", "Mon, 01 Jan 1990 00:00:00 GMT"}}, route).lifetime ==
          86'400);
    CHECK(judge_storing(get(), response(200, {{"Last-Modified", hour_later}}), route, received())
              .reason == CacheReason::no_freshness);
}

TEST_CASE("RFC 9111 4.2.3: the initial age is that of Date, or of Age and the delay") {
    const Pairs old{{"Date", hour_before}, {"Cache-Control", "max-age=9999"}};
    CHECK(freshness(old).initial_age == 3600);
    CHECK(freshness({{"Date", hour_later}, {"Cache-Control", "max-age=9"}}).initial_age == 0);
    CHECK(freshness({{"Age", "30"}, {"Cache-Control", "max-age=99"}}).initial_age == 30);
    CHECK(
        freshness({{"Age", "30"}, {"Cache-Control", "max-age=99"}}, plain_route(), received(5500ms))
            .initial_age == 35);
    CHECK(freshness({{"Cache-Control", "max-age=99"}}, plain_route(), received(5500ms)).took_ms ==
          5500);
    CHECK(freshness({{"Date", hour_before}, {"Age", "9"}, {"Cache-Control", "max-age=9999"}})
              .initial_age == 3600);
}

TEST_CASE("RFC 9111 5.1: of Age the first member counts, and only if it is a number") {
    const auto age = [](std::string_view value) {
        return freshness({{"Cache-Control", "max-age=9999999999"}, {"Age", value}}).initial_age;
    };
    CHECK(age("7200, 0") == 7200);
    CHECK(age("0, 7200") == 0);
    CHECK(age("abc") == 0);
    CHECK(age("-7200") == 0);
    CHECK(age("7200.0") == 0);
    CHECK(age("7200;a=b") == 0);
    CHECK(age("2147483647") == 2147483647U);
    CHECK(age("99999999999999999999") == limits::cache_ttl_most);
    CHECK(
        freshness({{"Cache-Control", "max-age=9999"}, {"Age", "0"}, {"Age", "7200"}}).initial_age ==
        0);
    CHECK(
        freshness({{"Cache-Control", "max-age=9999"}, {"Age", "7200"}, {"Age", "0"}}).initial_age ==
        7200);
}

TEST_CASE("RFC 9111 4.2.3: the age grows with time, and freshness ends with it") {
    const Received when = received();
    const Freshness f = freshness({{"Cache-Control", "max-age=60"}, {"Age", "10"}});
    CHECK(f.age(when.at) == 10);
    CHECK(f.age(when.at + 1999ms) == 11);
    CHECK(f.ttl(when.at + 49s) == 1);
    CHECK(f.ttl(when.at + 50s) == 0);
    CHECK(f.ttl(when.at + 60s) == -10);
}

TEST_CASE("RFC 9111 4.2.4: must-revalidate, proxy-revalidate and s-maxage forbid staleness") {
    config::RouteCache route = plain_route();
    route.stale_if_error = 5min;
    route.stale_while_revalidate = 1min;
    const Freshness open = freshness({{"Cache-Control", "max-age=60"}}, route);
    CHECK(open.if_error == 300);
    CHECK(open.while_revalidate == 60);
    CHECK_FALSE(open.must_revalidate);
    for (const char* control :
         {"max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60"}) {
        CAPTURE(control);
        const Freshness f = freshness({{"Cache-Control", control}}, route);
        CHECK(f.must_revalidate);
        CHECK(f.if_error == 0);
        CHECK(f.while_revalidate == 0);
    }
    const Freshness never = freshness({{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}, route);
    CHECK(never.if_error == 0);
    CHECK(never.while_revalidate == 0);
}

TEST_CASE("RFC 5861 3, 4: what the response grants counts before what the route grants") {
    config::RouteCache route = plain_route();
    route.stale_if_error = 5min;
    route.stale_while_revalidate = 1min;
    const Freshness f = freshness(
        {{"Cache-Control", "s-maxage=60, stale-while-revalidate=3, stale-if-error=4"}}, route);
    CHECK(f.while_revalidate == 3);
    CHECK(f.if_error == 4);
    const Freshness none = freshness(
        {{"Cache-Control", "max-age=60, stale-while-revalidate=0, stale-if-error=0"}}, route);
    CHECK(none.while_revalidate == 0);
    CHECK(none.if_error == 0);
}

TEST_CASE("RFC 9111 5.2.2: a response that forbids staleness cannot grant it, too") {
    for (const char* forbids : {"must-revalidate", "proxy-revalidate", "no-cache"}) {
        const std::string control =
            std::string("max-age=60, stale-while-revalidate=3, stale-if-error=4, ") + forbids;
        const Freshness f = freshness({{"Cache-Control", control}, {"ETag", "\"a\""}});
        CHECK(f.while_revalidate == 0);
        CHECK(f.if_error == 0);
    }
}

TEST_CASE("RFC 5861 3: a route does not grant staleness to what was never fresh") {
    config::RouteCache route = plain_route();
    route.stale_while_revalidate = 1min;
    CHECK(freshness({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}, route).while_revalidate ==
          0);
}

TEST_CASE("RFC 9111 4.3.4: freshness of fields that a 304 has updated") {
    config::RouteCache route = plain_route();
    route.default_ttl = 7s;
    CHECK(
        freshness_of(200, fields({{"Cache-Control", "max-age=60"}}), route, received()).lifetime ==
        60);
    CHECK(freshness_of(200, fields({}), route, received()).lifetime == 7);
    CHECK(freshness_of(200, fields({{"Set-Cookie", "a"}}), route, received()).lifetime == 0);
    CHECK(freshness_of(500, fields({}), route, received()).lifetime == 0);
}

TEST_CASE("RFC 8246 2: immutable is kept") {
    CHECK(freshness({{"Cache-Control", "max-age=60, immutable"}}).immutable);
    CHECK_FALSE(freshness({{"Cache-Control", "max-age=60"}}).immutable);
}
