// Invalidation (RFC 9111 section 4.4), and fields that are in no key.
#include "cache/rules/invalidation.hpp"

#include <doctest/doctest.h>

#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

struct Case {
    Method method = Method::post;
    std::uint16_t status = 200;
    std::string_view target = "/a/b?q";
    std::string_view authority = "Example.com:80";
};

std::string invalidated(const Case& of, Pairs answer = {}) {
    Arena arena;
    RequestHead request = get();
    request.method = of.method;
    request.authority = of.authority;
    std::string text;
    const ResponseHead head = response(of.status, answer);
    for (const UrlParts& url : invalidated_by(request, "http", of.target, head, arena))
        text.append(url.scheme).append("://").append(url.authority).append(url.target).append(" ");
    return text;
}

/// What Location adds to "http://example.com/a/b?q".
std::string by_location(std::string_view location) {
    const std::string all = invalidated({}, {{"Location", location}});
    const std::string own = "http://example.com/a/b?q ";
    REQUIRE(all.starts_with(own));
    return all.substr(own.size());
}

}  // namespace

TEST_CASE("RFC 9111 4.4: a successful unsafe request invalidates its target") {
    for (const Method method :
         {Method::post, Method::put, Method::delete_, Method::patch, Method::other}) {
        CHECK(invalidated({.method = method}) == "http://example.com/a/b?q ");
    }
    CHECK(invalidated({.status = 303}) == "http://example.com/a/b?q ");
    CHECK(invalidated({.status = 204}) == "http://example.com/a/b?q ");
}

TEST_CASE("RFC 9111 4.4: neither a safe request nor one that failed invalidates") {
    for (const Method method : {Method::get, Method::head, Method::options, Method::trace}) {
        CHECK(invalidated({.method = method}).empty());
    }
    for (const std::uint16_t status :
         std::initializer_list<std::uint16_t>{101, 400, 404, 500, 503}) {
        CHECK(invalidated({.status = status}).empty());
    }
    CHECK(invalidated({.target = "*"}).empty());
    CHECK(invalidated({.authority = ""}).empty());
}

TEST_CASE("RFC 9111 4.4: Location and Content-Location of the same origin are invalidated") {
    CHECK(by_location("http://example.com/x") == "http://example.com/x ");
    CHECK(by_location("HTTP://EXAMPLE.com:80/x?y#z") == "http://example.com/x?y ");
    CHECK(by_location("//example.com./x") == "http://example.com/x ");
    CHECK(by_location("http://example.com") == "http://example.com/ ");
    CHECK(by_location("http://example.com?x") == "http://example.com/?x ");
    CHECK(invalidated({}, {{"Content-Location", "/c"}, {"Location", "/l"}}) ==
          "http://example.com/a/b?q http://example.com/l http://example.com/c ");
}

TEST_CASE("RFC 9111 4.4: those of another origin are not") {
    for (const char* location :
         {"http://example.org/x", "http://example.com:8080/x", "https://example.com/x",
          "//example.com.evil/x", "http://user@example.com/x", "mailto:a@example.com", "http:/x",
          "http:x", "http://[example.com/x"}) {
        CAPTURE(location);
        CHECK(by_location(location).empty());
    }
}

TEST_CASE("RFC 3986 5.2: a relative reference is resolved") {
    CHECK(by_location("/x/y") == "http://example.com/x/y ");
    CHECK(by_location("c") == "http://example.com/a/c ");
    CHECK(by_location("./c?d") == "http://example.com/a/c?d ");
    CHECK(by_location("../c") == "http://example.com/c ");
    CHECK(by_location("../../../c") == "http://example.com/c ");
    CHECK(by_location("..") == "http://example.com/ ");
    CHECK(by_location(".") == "http://example.com/a/ ");
    CHECK(by_location("c/../d/.") == "http://example.com/a/d/ ");
    CHECK(by_location("/./x/../y/..") == "http://example.com/ ");
    CHECK(by_location("/..a/...") == "http://example.com/..a/... ");
    CHECK(by_location("?r=../s") == "http://example.com/a/b?r=../s ");
    CHECK(by_location("c:d").empty());
    CHECK(by_location("./c:d") == "http://example.com/a/c:d ");
    CHECK(by_location("").empty());  // the target itself
    CHECK(by_location("#x").empty());
    CHECK(by_location("b?q").empty());
}

TEST_CASE("a Location that is longer than any key invalidates nothing") {
    CHECK(by_location("/" + std::string(limits::cache_key, 'x')).empty());
}

TEST_CASE("fields that origins obey and no key holds do not reach them") {
    HeaderList request = fields({{"X-Original-URL", "/admin"},
                                 {"x-rewrite-url", "/admin"},
                                 {"X-Host", "evil"},
                                 {"X-Forwarded-Scheme", "http"},
                                 {"X-HTTP-Method-Override", "POST"},
                                 {"X-Forwarded-Port", "1"},
                                 {"Forwarded", "host=evil"},
                                 {"X-Forwarded-Host", "kept"},
                                 {"X-Mine", "kept"}});
    config::CacheKeyRules key;
    key.headers = {"x-forwarded-port"};
    remove_unkeyed(request, key);
    REQUIRE(request.size() == 3);
    CHECK(request[0].name == "X-Forwarded-Port");
    CHECK(request[1].name == "X-Forwarded-Host");
    CHECK(request[2].name == "X-Mine");
}
