// What is stored (RFC 9111 section 3).
#include "cache/rules/storing.hpp"

#include <doctest/doctest.h>

#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

using Statuses = std::initializer_list<std::uint16_t>;

CacheReason judge(const RequestHead& request, const ResponseHead& answer,
                  const config::RouteCache& route = plain_route()) {
    return judge_storing(request, answer, route, received()).reason;
}

CacheReason judge(Pairs answer) {
    return judge(get(), response(200, answer));
}

}  // namespace

TEST_CASE("RFC 9111 3: a response with explicit freshness is stored") {
    CHECK(judge({{"Cache-Control", "max-age=60"}}) == CacheReason::none);
    CHECK(judge({{"Cache-Control", "s-maxage=60"}}) == CacheReason::none);
    CHECK(judge({{"Date", then_text}, {"Expires", hour_later}}) == CacheReason::none);
}

TEST_CASE("RFC 9111 3: without any freshness, and none by the route, it is not stored") {
    CHECK(judge({}) == CacheReason::no_freshness);
    CHECK(judge({{"ETag", "\"a\""}}) == CacheReason::no_freshness);
    CHECK(judge({{"Last-Modified", hour_before}}) == CacheReason::no_freshness);
    CHECK(judge({{"Cache-Control", "public"}}) == CacheReason::no_freshness);
}

TEST_CASE("RFC 9111 3: any final status is stored with explicit freshness, parts are not") {
    for (const std::uint16_t status : Statuses{200, 203, 204, 299, 301, 302, 303, 307, 308, 400,
                                               404, 410, 499, 500, 502, 503, 504, 599}) {
        CAPTURE(status);
        CHECK(judge(get(), response(status, {{"Cache-Control", "max-age=60"}})) ==
              CacheReason::none);
    }
    for (const std::uint16_t status : Statuses{100, 101, 103, 199, 304, 600, 999}) {
        CAPTURE(status);
        CHECK(judge(get(), response(status, {{"Cache-Control", "max-age=60"}})) ==
              CacheReason::status);
    }
    CHECK(judge(get(), response(206, {{"Cache-Control", "max-age=60"}})) == CacheReason::partial);
    CHECK(judge(get(), response(416, {{"Cache-Control", "max-age=60"}})) == CacheReason::partial);
}

TEST_CASE("RFC 9110 14.4: Content-Range outside of 206 and 416 has no meaning") {
    CHECK(judge({{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-1/2"}}) ==
          CacheReason::none);
}

TEST_CASE("RFC 9111 5.2.2.5: no-store is not stored, whatever else is said") {
    CHECK(judge({{"Cache-Control", "max-age=60, no-store"}}) == CacheReason::no_store);
    CHECK(judge({{"Cache-Control", "max-age=60"}, {"Cache-Control", "public, no-store"}}) ==
          CacheReason::no_store);
}

TEST_CASE("RFC 9111 5.2.1.5: a request with no-store stores nothing") {
    CHECK(judge(get({{"Cache-Control", "no-store"}}),
                response(200, {{"Cache-Control", "max-age=60"}})) == CacheReason::request_no_store);
}

TEST_CASE("RFC 9111 5.2.2.7: private is not stored, with field names only they are not") {
    CHECK(judge({{"Cache-Control", "private, max-age=60"}}) == CacheReason::private_);
    CHECK(judge({{"Cache-Control", "public, private, max-age=60"}}) == CacheReason::private_);
    const HeaderList named = fields({{"Cache-Control", "private=\"x-a, X-B\", max-age=60"}});
    CHECK(judge({{"Cache-Control", "private=\"x-a\", max-age=60"}}) == CacheReason::none);
    const CacheControl control = deciding_control(named);
    const config::RouteCache route = plain_route();
    CHECK_FALSE(is_stored_field({"X-A", "1", Field::unknown}, control, route));
    CHECK_FALSE(is_stored_field({"x-b", "1", Field::unknown}, control, route));
    CHECK(is_stored_field({"X-C", "1", Field::unknown}, control, route));
}

TEST_CASE("RFC 9111 5.2.2.4: no-cache with field names: all but they are stored") {
    const HeaderList named = fields({{"Cache-Control", "no-cache=\"a\""}, {"A", "1"}});
    const CacheControl control = deciding_control(named);
    CHECK_FALSE(is_stored_field({"a", "1", Field::unknown}, control, plain_route()));
    CHECK(is_stored_field({"b", "1", Field::unknown}, control, plain_route()));
    const auto storing = judge_storing(
        get(), response(200, {{"Cache-Control", "no-cache=\"a\""}, {"Cache-Control", "max-age=9"}}),
        plain_route(), received());
    CHECK(storing.reason == CacheReason::none);
    CHECK_FALSE(storing.freshness.no_cache);
}

TEST_CASE("RFC 9111 5.2.2.4: no-cache is stored if it can be validated") {
    const auto storing =
        judge_storing(get(), response(200, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}),
                      plain_route(), received());
    CHECK(storing.reason == CacheReason::none);
    CHECK(storing.freshness.no_cache);
    CHECK(storing.freshness.has_validator);
    CHECK(storing.freshness.lifetime == 0);
    CHECK(judge({{"Cache-Control", "no-cache, max-age=60"}}) == CacheReason::already_stale);
    CHECK(judge(get({{"Cookie", "a"}}), response(200, {{"Cache-Control", "no-cache"},
                                                       {"ETag", "\"a\""}})) == CacheReason::cookie);
    CHECK(judge(get(), response(599, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}})) ==
          CacheReason::status);
}

TEST_CASE("RFC 9111 5.2.2.3: must-understand") {
    const Pairs both{{"Cache-Control", "max-age=60, must-understand, no-store"}};
    CHECK(judge(get(), response(200, both)) == CacheReason::none);
    CHECK(judge(get(), response(599, both)) == CacheReason::status);
    CHECK(judge(get(), response(599, {{"Cache-Control", "max-age=60, must-understand"}})) ==
          CacheReason::status);
}

TEST_CASE("RFC 9111 3.5: a response to Authorization is shared only if it says so") {
    const RequestHead request = get({{"Authorization", "FOO"}});
    const auto of = [&](std::string_view control) {
        return judge(request, response(200, {{"Cache-Control", control}}));
    };
    CHECK(of("max-age=60") == CacheReason::authorization);
    CHECK(of("max-age=60, proxy-revalidate") == CacheReason::authorization);
    CHECK(of("max-age=60, public") == CacheReason::none);
    CHECK(of("max-age=60, must-revalidate") == CacheReason::none);
    CHECK(of("s-maxage=60") == CacheReason::none);
    CHECK(judge(request, response(200, {{"Date", then_text}, {"Expires", hour_later}})) ==
          CacheReason::authorization);
}

TEST_CASE("RFC 9111 3.5: and only with explicit freshness") {
    config::RouteCache route = plain_route();
    route.default_ttl = std::chrono::hours(1);
    route.heuristics = true;
    const RequestHead request = get({{"Authorization", "FOO"}});
    CHECK(judge(request, response(200, {{"Cache-Control", "public"}}), route) ==
          CacheReason::authorization);
    CHECK(judge(request, response(200, {{"Cache-Control", "public, no-cache"}, {"ETag", "\"a\""}}),
                route) == CacheReason::authorization);
}

TEST_CASE("RFC 9111 7.3: Set-Cookie is stored only if the route says so") {
    const ResponseHead sets =
        response(200, {{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}});
    CHECK(judge(get(), sets) == CacheReason::set_cookie);
    config::RouteCache route = plain_route();
    route.store_set_cookie = true;
    CHECK(judge(get(), sets, route) == CacheReason::none);
    CHECK(is_stored_field({"Set-Cookie", "a=b", Field::set_cookie}, {}, route));
    CHECK_FALSE(is_stored_field({"Set-Cookie", "a=b", Field::set_cookie}, {}, plain_route()));
    CHECK_FALSE(is_stored_field({"Set-Cookie2", "a=b", Field::unknown}, {}, plain_route()));
}

TEST_CASE("RFC 9111 5.2.2.7: a Set-Cookie that is withheld by name does not forbid storing") {
    CHECK(judge({{"Cache-Control", "max-age=60, private=\"Set-Cookie\""}, {"Set-Cookie", "a=b"}}) ==
          CacheReason::none);
    CHECK(judge({{"Cache-Control", "max-age=60, no-cache=set-cookie"}, {"Set-Cookie", "a=b"}}) ==
          CacheReason::none);
}

TEST_CASE("RFC 9111 4.2.2: default_ttl and heuristics never apply where somebody is known") {
    config::RouteCache route = plain_route();
    route.default_ttl = std::chrono::hours(1);
    route.heuristics = true;
    const ResponseHead silent = response(200, {{"Last-Modified", hour_before}});
    CHECK(judge(get(), silent, route) == CacheReason::none);
    CHECK(judge(get({{"Cookie", "a=b"}}), silent, route) == CacheReason::cookie);
    CHECK(judge(get({{"Authorization", "a"}}), silent, route) == CacheReason::authorization);
    route.store_set_cookie = true;
    CHECK(judge(get(), response(200, {{"Set-Cookie", "a=b"}}), route) == CacheReason::set_cookie);
    CHECK(judge(get({{"Cookie", "a=b"}}), response(200, {{"Cache-Control", "max-age=60"}}),
                route) == CacheReason::none);
}

TEST_CASE("RFC 9111 5.4: Pragma: no-cache of a response forbids an estimate, nothing else") {
    config::RouteCache route = plain_route();
    route.default_ttl = std::chrono::hours(1);
    CHECK(judge(get(), response(200, {{"Pragma", "no-cache"}}), route) ==
          CacheReason::no_freshness);
    CHECK(judge(get(), response(200, {{"Pragma", "foo"}}), route) == CacheReason::none);
    CHECK(judge({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=60"}}) == CacheReason::none);
}

TEST_CASE("RFC 9110 15.1: only statuses that may be are given a lifetime by the cache") {
    config::RouteCache route = plain_route();
    route.default_ttl = std::chrono::hours(1);
    for (const std::uint16_t status :
         Statuses{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}) {
        CAPTURE(status);
        CHECK(judge(get(), response(status, {}), route) == CacheReason::none);
    }
    for (const std::uint16_t status :
         Statuses{201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599}) {
        CAPTURE(status);
        CHECK(judge(get(), response(status, {}), route) == CacheReason::no_freshness);
        CHECK(judge(get(), response(status, {{"Cache-Control", "public"}}), route) ==
              CacheReason::none);
    }
}

TEST_CASE("RFC 9111 4.2: what is stale on arrival is stored only if it can still serve") {
    CHECK(judge({{"Cache-Control", "max-age=0"}}) == CacheReason::already_stale);
    CHECK(judge({{"Cache-Control", "max-age=60"}, {"Age", "60"}}) == CacheReason::already_stale);
    CHECK(judge({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}) == CacheReason::none);
    CHECK(judge({{"Cache-Control", "max-age=0"}, {"Last-Modified", hour_before}}) ==
          CacheReason::none);
    CHECK(judge({{"Cache-Control", "max-age=0, stale-while-revalidate=9"}}) == CacheReason::none);
    CHECK(judge({{"Cache-Control", "max-age=0, stale-if-error=9"}}) == CacheReason::none);
    CHECK(judge({{"Cache-Control", "no-cache, stale-while-revalidate=9"}}) ==
          CacheReason::already_stale);
}

TEST_CASE("RFC 9111 5.2: what cannot be read is not stored") {
    CHECK(judge({{"Cache-Control", "max-age=60, ext=\"a, no-store"}}) == CacheReason::malformed);
}

TEST_CASE("RFC 9213 2.2: CDN-Cache-Control hides Cache-Control and Expires") {
    const auto of = [](std::string_view cdn, std::string_view control) {
        return judge({{"CDN-Cache-Control", cdn},
                      {"Cache-Control", control},
                      {"Date", then_text},
                      {"Expires", hour_later}});
    };
    CHECK(of("max-age=60", "no-store") == CacheReason::none);
    CHECK(of("no-store", "max-age=60") == CacheReason::no_store);
    CHECK(of("private", "max-age=60") == CacheReason::private_);
    CHECK(of("max-age=0", "max-age=60") == CacheReason::already_stale);
    CHECK(of("foo", "max-age=60") == CacheReason::no_freshness);
    CHECK(of("max-age=60, &&&", "no-store") == CacheReason::no_store);
    CHECK(of("max-age=\"60\"", "no-store") == CacheReason::no_store);
    CHECK(of("", "max-age=60") == CacheReason::none);
}

TEST_CASE("Edge Architecture 2.2: Surrogate-Control comes behind CDN-Cache-Control") {
    CHECK(judge({{"Surrogate-Control", "max-age=60"}, {"Cache-Control", "no-store"}}) ==
          CacheReason::none);
    CHECK(judge({{"Surrogate-Control", "no-store"}, {"Cache-Control", "max-age=60"}}) ==
          CacheReason::no_store);
    CHECK(judge({{"Surrogate-Control", "content=\"ESI/1.0\""}, {"Cache-Control", "max-age=60"}}) ==
          CacheReason::none);
    CHECK(judge({{"CDN-Cache-Control", "max-age=60"}, {"Surrogate-Control", "no-store"}}) ==
          CacheReason::none);
}

TEST_CASE("RFC 9111 3.1: fields of one hop, and what each exchange says anew, are not stored") {
    const config::RouteCache route = plain_route();
    for (const char* name :
         {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
          "Proxy-Authentication-Info", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding",
          "Upgrade", "Content-Length", "Age", "Cache-Status", "Via", "X-Request-Id"}) {
        CAPTURE(name);
        CHECK_FALSE(is_stored_field({name, "1", field_id(name)}, {}, route));
    }
    for (const char* name :
         {"Date", "ETag", "Cache-Control", "Content-Encoding", "Content-Range", "Content-MD5",
          "Expires", "Vary", "Surrogate-Key", "X-Anything", "Content-Type", "Clear-Site-Data"}) {
        CAPTURE(name);
        CHECK(is_stored_field({name, "1", field_id(name)}, {}, route));
    }
}
