// Cache-Control as RFC 9111 section 5.2 says, and its kin.
#include "cache/rules/cache_control.hpp"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;

namespace {

struct Parsed {
    HeaderList list;
    CacheControl control;
};

CacheControl parse(std::string_view value, Field id = Field::cache_control) {
    HeaderList list;
    list.add(id, value);
    return parse_cache_control(list, id);
}

CacheControl parse_lines(std::string_view a, std::string_view b) {
    HeaderList list;
    list.add(Field::cache_control, a);
    list.add(Field::cache_control, b);
    return parse_cache_control(list, Field::cache_control);
}

CacheControl cdn(std::string_view value) {
    return parse(value, Field::cdn_cache_control);
}
CacheControl surrogate(std::string_view value) {
    return parse(value, Field::surrogate_control);
}

}  // namespace

TEST_CASE("RFC 9111 5.2: directives are read in any case, known ones among unknown ones") {
    const CacheControl c =
        parse(R"(foo, MaX-aGe=60 ,, bar="a, b", No-StOrE, S-MAXAGE=7,public, immutable)");
    CHECK(c.present);
    CHECK(c.max_age == 60U);
    CHECK(c.s_maxage == 7U);
    CHECK(c.no_store);
    CHECK(c.public_);
    CHECK(c.immutable);
    CHECK_FALSE(c.private_);
    CHECK_FALSE(c.malformed);
    CHECK_FALSE(parse_cache_control({}, Field::cache_control).present);
}

TEST_CASE("RFC 9111 5.2: every flag has its name") {
    CHECK(parse("must-revalidate").must_revalidate);
    CHECK(parse("proxy-revalidate").proxy_revalidate);
    CHECK(parse("must-understand").must_understand);
    CHECK(parse("no-transform").no_transform);
    CHECK(parse("only-if-cached").only_if_cached);
    CHECK(parse("private").private_);
    CHECK(parse("no-cache").no_cache);
}

TEST_CASE("RFC 9111 5.2: an argument may be a token or a quoted string") {
    CHECK(parse(R"(max-age="3600")").max_age == 3600U);
    CHECK(parse("max-age=003600").max_age == 3600U);
}

TEST_CASE("RFC 9111 5.2: what stands inside of a quoted string is no directive") {
    CHECK(parse(R"(ext="max-age=3600", max-age=1)").max_age == 1U);
    CHECK(parse(R"(max-age=1, ext="max-age=3600")").max_age == 1U);
    CHECK(parse(R"(ext="\"no-store", public)").public_);
    CHECK_FALSE(parse(R"(ext="\", no-store")").no_store);
}

TEST_CASE("RFC 9111 4.2.1: a lifetime that is no number of seconds counts as 0") {
    for (const char* text :
         {"max-age", "max-age=", "max-age=-1", "max-age=+5", "max-age='3600'", "max-age=a3600",
          "max-age=3600a", "max-age=3600.0", "max-age =3600", "max-age= 3600", "max-age=36 00",
          R"(max-age="36" 00)", R"(max-age="36\00")"}) {
        CAPTURE(text);
        CHECK(parse(text).max_age == 0U);
    }
}

TEST_CASE("RFC 9111 1.2.2: seconds that are too many are as many as can be") {
    CHECK(parse("max-age=2147483647").max_age == 2147483647U);
    CHECK(parse("max-age=2147483648").max_age == limits::cache_ttl_most);
    CHECK(parse("max-age=99999999999999999999999999").max_age == limits::cache_ttl_most);
}

TEST_CASE("RFC 9111 4.2.1: of contradictory directives the stricter counts") {
    CHECK(parse("max-age=1, max-age=1800").max_age == 1U);
    CHECK(parse("max-age=1800, max-age=1").max_age == 1U);
    CHECK(parse_lines("max-age=1800", "max-age=1").max_age == 1U);
    CHECK(parse("max-age=1800, max-age=x").max_age == 0U);
    CHECK(parse("min-fresh=5, min-fresh=7").min_fresh == 7U);
    CHECK(parse("max-stale=5, max-stale=7").max_stale == 5U);
}

TEST_CASE("RFC 9111 5.2.2.4, 5.2.2.7: no-cache and private may name fields") {
    CHECK(parse(R"(no-cache="a, b")").no_cache_fields == "a, b");
    CHECK_FALSE(parse(R"(no-cache="a, b")").no_cache);
    CHECK(parse("private=set-cookie").private_fields == "set-cookie");
    CHECK_FALSE(parse("private=set-cookie").private_);
}

TEST_CASE("RFC 9111 5.2.2.4, 5.2.2.7: names that cannot be told mean all of the response") {
    for (const char* text : {R"(private="")", "private=", R"(private="a\b")", R"(private="a"b)",
                             R"(private="a", private="b")", R"(private="a", private)",
                             R"(private=",")", R"(private="a b")", R"(private="a;b")",
                             R"(private="a, (b")", "private=1", "private=true", "private=x-user"}) {
        CAPTURE(text);
        CHECK(parse(text).private_);
    }
    CHECK(parse_lines(R"(no-cache="a")", "no-cache").no_cache);
}

TEST_CASE("RFC 9111 5.2.2.4, 5.2.2.7: without what describes it a response is another one") {
    for (const char* names :
         {"Content-Encoding", "x-a, vary", "Date", "cache-control", "EXPIRES"}) {
        CAPTURE(names);
        CHECK(parse(fmt::format(R"(private="{}")", names)).private_);
        CHECK(parse(fmt::format(R"(no-cache="{}")", names)).no_cache);
    }
    CHECK_FALSE(parse(R"(private="ETag, Set-Cookie, X-Content")").private_);
}

TEST_CASE(
    "RFC 9111 5.2: a quoted string that does not end is malformed, a stray quote hides none") {
    CHECK(parse(R"(max-age=5, ext="a, no-store)").malformed);
    CHECK(parse(R"(private="a, max-age=5)").malformed);
    const CacheControl stray = parse(R"(fo"o, no-store, b"ar)");
    CHECK(stray.no_store);
}

TEST_CASE("RFC 9111 5.2: what is no list of directives is malformed, for it may hide one") {
    for (const char* text :
         {"no-store; max-age=600", "max-age=600; private", "public no-store, max-age=600",
          "private max-age=600", "no store", R"("private")", R"(fo"o, max-age=5)",
          "ext=a no-store, max-age=5", R"(ext="a" no-store, max-age=5)", "=5, max-age=5"}) {
        CAPTURE(text);
        CHECK(parse(text).malformed);
    }
    for (const char* text : {"", ",, max-age=5 ,", "max-age = 5", R"(ext="a b, c", public)",
                             "pre-check=0, post-check=0", "ext=, max-age='5'"}) {
        CAPTURE(text);
        CHECK_FALSE(parse(text).malformed);
    }
}

TEST_CASE("RFC 9111 5.2.1: directives of requests") {
    CHECK(parse("max-stale").max_stale_any);
    CHECK(parse("max-stale=10").max_stale == 10U);
    CHECK_FALSE(parse("max-stale=10").max_stale_any);
    CHECK(parse("max-stale=x").max_stale == 0U);
    CHECK(parse("min-fresh=10").min_fresh == 10U);
    CHECK_FALSE(parse("min-fresh=x").min_fresh.has_value());
}

TEST_CASE("RFC 5861 3 and 4: stale-while-revalidate, stale-if-error") {
    const CacheControl c = parse("stale-while-revalidate=5, stale-if-error=6");
    CHECK(c.stale_while_revalidate == 5U);
    CHECK(c.stale_if_error == 6U);
    CHECK(parse("stale-if-error=x").stale_if_error == 0U);
}

TEST_CASE("RFC 9213 2.1: CDN-Cache-Control is a dictionary of structured fields") {
    const CacheControl c =
        cdn(R"(max-age=60, foo=(1 "x";a=?1);b, private="a, b", bar=:aGk=:;q=1.5, must-revalidate)");
    CHECK(c.present);
    CHECK(c.targeted);
    CHECK(c.max_age == 60U);
    CHECK(c.private_fields == "a, b");
    CHECK(c.must_revalidate);
    CHECK(cdn("no-store").no_store);
    CHECK(cdn("private").private_);
    CHECK(cdn("no-cache").no_cache);
    CHECK(cdn("foo").present);
    CHECK(cdn("max-age=99999999999").max_age == limits::cache_ttl_most);
    CHECK(cdn("max-age=-5").max_age == 0U);
    CHECK(cdn("max-age=5;foo=bar").max_age == 5U);
}

TEST_CASE("RFC 9213 2.1: CDN-Cache-Control that does not parse counts as absent") {
    for (const char* text : {"max-age=10000, &&&&&",
                             R"(max-age="10000")",
                             "max-age =100",
                             "max-age= 100",
                             "MaX-aGe=3600",
                             "max-age=10,",
                             ",max-age=10",
                             "max-age=1.5",
                             "max-age=1.",
                             "max-age=",
                             R"(foo="a)",
                             "foo=(1",
                             "foo=(1,2)",
                             "foo=:a",
                             "foo=?2",
                             "max-age=1234567890123456",
                             "max-age",
                             "foo=\"\x80\"",
                             "public=1",
                             "",
                             "  "}) {
        CAPTURE(text);
        CHECK_FALSE(cdn(text).present);
        CHECK_FALSE(cdn(text).max_age.has_value());
    }
}

TEST_CASE("RFC 8941 3.2: of a key that comes twice the last value counts") {
    CHECK(cdn("max-age=5, max-age=60").max_age == 60U);
    CHECK_FALSE(cdn("no-store, no-store=?0").no_store);
}

TEST_CASE("RFC 9213 2.1: what forbids holds whatever its value is") {
    CHECK(cdn("max-age=5, no-store=1").no_store);
    CHECK(cdn("max-age=5, private=1").private_);
    CHECK(cdn("max-age=5, no-cache=(a b)").no_cache);
}

TEST_CASE("Edge Architecture 2.2: Surrogate-Control") {
    CHECK(surrogate("max-age=3600").max_age == 3600U);
    CHECK(surrogate("MaX-aGe=3600, foobar").max_age == 3600U);
    CHECK(surrogate("no-store").no_store);
    CHECK(surrogate("no-store-remote").no_store);
    CHECK(surrogate(R"(content="ESI/1.0, no-store", max-age=5)").max_age == 5U);
    CHECK_FALSE(surrogate(R"(content="ESI/1.0, no-store", max-age=5)").no_store);
    CHECK_FALSE(surrogate(R"(content="ESI/1.0")").present);
    const CacheControl grace = surrogate("max-age=10+20");
    CHECK(grace.max_age == 10U);
    CHECK(grace.stale_while_revalidate == 20U);
    CHECK(grace.stale_if_error == 20U);
    CHECK(surrogate("max-age=x").max_age == 0U);
    CHECK(surrogate("max-age = 100").max_age == 0U);
    CHECK(surrogate(R"(max-age=5, content="a)").malformed);
}

TEST_CASE("Edge Architecture 2.3: what is for another device does not count") {
    CHECK_FALSE(surrogate("max-age=3600;other").present);
    CHECK(surrogate("max-age=3600;other;Scrollgate").max_age == 3600U);
    CHECK(surrogate("max-age=60, max-age=3600;other").max_age == 60U);
}
