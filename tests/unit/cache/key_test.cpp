// Keys: what is one object, and what is not.
#include "cache/key.hpp"

#include <set>

#include <doctest/doctest.h>

#include "cache/store/key_place.hpp"
#include "core/limits.hpp"
#include "tests/unit/cache/allocations.hpp"
#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

std::string canonical(std::string_view authority, std::string_view scheme = "http") {
    Arena arena;
    return std::string(canonical_authority(scheme, authority, arena));
}

std::string counting(std::string_view target, std::vector<std::string> ignored) {
    Arena arena;
    config::CacheKeyRules rules;
    rules.ignore_query = std::move(ignored);
    return std::string(counting_target(target, rules, arena));
}

std::string key_of(const config::RouteCache& route, const RequestHead& request,
                   std::string_view target = "/") {
    Arena arena;
    CacheKey key;
    CHECK(make_key(route, "http", request, target, arena, key) == CacheReason::none);
    CHECK(key.hash == place_of(key.text).hash);
    return key.text;
}

}  // namespace

TEST_CASE("RFC 9110 4.2.3: one origin has one authority, however it is written") {
    CHECK(canonical("example.com") == "example.com");
    CHECK(canonical("EXAMPLE.com") == "example.com");
    CHECK(canonical("example.com:80") == "example.com");
    CHECK(canonical("example.com:0080") == "example.com");
    CHECK(canonical("example.com:") == "example.com");
    CHECK(canonical("example.com.") == "example.com");
    CHECK(canonical("Example.com.:80") == "example.com");
    CHECK(canonical("example.com:443", "https") == "example.com");
    CHECK(canonical("example.com:443") == "example.com:443");
    CHECK(canonical("Example.com:08080") == "example.com:8080");
    CHECK(canonical("[::1]:80") == "[::1]");
    CHECK(canonical("[::A]:81") == "[::a]:81");
    CHECK(canonical("example.com:8080.") == "");
}

TEST_CASE("RFC 9110 4.2.3: what is no host and port is no authority") {
    for (const char* text : {"", ".", ":80", "a:b", "a:80:80", "a@b", "[::1", "[::1]x", "::1",
                             "a/b", "a b", "a?b", "[::1]]:80x"}) {
        CAPTURE(text);
        CHECK(canonical(text).empty());
    }
}

TEST_CASE("ignored query parameters go, and all others stay as they are") {
    CHECK(counting("/a?utm_source=1&b=2&utm_x=3", {"utm_*"}) == "/a?b=2");
    CHECK(counting("/a?b=2&c=3", {"b"}) == "/a?c=3");
    CHECK(counting("/a?b=2", {"b"}) == "/a");
    CHECK(counting("/a?b", {"b"}) == "/a");
    CHECK(counting("/a?", {"b"}) == "/a?");
    CHECK(counting("/a?bb=1&B=2", {"b"}) == "/a?bb=1&B=2");
    CHECK(counting("/a?b=1", {}) == "/a?b=1");
    CHECK(counting("/a?c=1&&b=2&d", {"b"}) == "/a?c=1&&d");
    CHECK(counting("/a?x=1&y=2", {"*"}) == "/a");
    CHECK(counting("/b=1", {"b"}) == "/b=1");
    CHECK(counting("/a?c=?b=1&b=2", {"b"}) == "/a?c=?b=1");
}

TEST_CASE("cloaked parameters are told apart as origins do: decoded, and by & alone") {
    CHECK(counting("/a?%62=1&c=2", {"b"}) == "/a?c=2");
    CHECK(counting("/a?ut%6D_x=1&c=2", {"utm_*"}) == "/a?c=2");
    CHECK(counting("/a?x+y=1&x%20y=2&x%2by=3", {"x y"}) == "/a?x%2by=3");
    CHECK(counting("/a?c=1;b=2", {"b"}) == "/a?c=1;b=2");
    CHECK(counting("/a?b=1;c=2", {"b"}) == "/a");
    CHECK(counting("/a?b%3D1=2", {"b"}) == "/a?b%3D1=2");
    CHECK(counting("/a?%6=1&%zz=2&%=3", {"b"}) == "/a?%6=1&%zz=2&%=3");
    CHECK(counting("/a?b%00=1", {"b"}) == "/a?b%00=1");
}

TEST_CASE("each part of a key counts, and none can be taken for another") {
    config::RouteCache route = plain_route();
    route.key.headers = {"x-a", "accept-language"};
    route.key.cookies = {"id", "lang"};
    std::set<std::string> keys;
    std::size_t made = 0;
    const auto add = [&](const RequestHead& request, std::string_view target = "/") {
        keys.insert(key_of(route, request, target));
        ++made;
    };
    add(get());
    add(get(), "/?");
    add(get(), "/a");
    add(get({{"X-A", ""}}));
    add(get({{"X-A", "1"}}));
    add(get({{"X-A", "accept-language: en"}}));
    add(get({{"Accept-Language", "en"}}));
    add(get({{"Cookie", "id=1"}}));
    add(get({{"Cookie", "id="}}));
    add(get({{"Cookie", "lang=1"}}));
    add(get({{"Cookie", "id=1; id=2"}}));
    add(get({{"Cookie", "id=2; id=1"}}));
    RequestHead other = get();
    other.authority = "example.org";
    add(other);
    route.partition = "other";
    add(get());
    CHECK(keys.size() == made);
}

TEST_CASE("a cookie counts however it is spelled, for some origin reads it so") {
    config::RouteCache route = plain_route();
    route.key.cookies = {"my_id"};
    const std::string none = key_of(route, get());
    for (const char* cookie :
         {"my_id =1", "my_id\t=1", "MY_ID=1", "my.id=1", "my id=1", "my[id=1", "my_id",
          "a=1, my_id=1", "a=1; My_Id=1", "\xa0my_id=1", "my_id\xc2\xa0=1", "\"my_id\"=1",
          "my%5Fid=1", "%6dy_id=1", "my+id=1", "%20my_id=1"}) {
        CAPTURE(cookie);
        CHECK(key_of(route, get({{"Cookie", cookie}})) != none);
    }
    for (const char* cookie :
         {"my-id=1", "my%2did=1", "my%=1", "xmy_id=1", "my_id2=1", "a=my_id"}) {
        CAPTURE(cookie);
        CHECK(key_of(route, get({{"Cookie", cookie}})) == none);
    }
    CHECK(key_of(route, get({{"Cookie", "my_id=1,2"}})) !=
          key_of(route, get({{"Cookie", "my_id=1,3"}})));
    CHECK(key_of(route, get({{"Cookie", "=1, my_id=2"}})) !=
          key_of(route, get({{"Cookie", "my_id=1, my_id=2"}})));
}

TEST_CASE("what does not count makes no difference") {
    config::RouteCache route = plain_route();
    route.key.headers = {"accept-language", "accept-encoding"};
    route.key.cookies = {"id"};
    const std::string key = key_of(
        route,
        get({{"Accept-Language", "en,de"}, {"Accept-Encoding", "gzip, br"}, {"Cookie", "id=1"}}));
    CHECK(key == key_of(route, get({{"X-Other", "1"},
                                    {"accept-language", "EN , DE"},
                                    {"Accept-Encoding", "br;q=0.5,gzip,foo"},
                                    {"Cookie", "xid=5; id=1;ident=4"},
                                    {"Cookie", "idx"}})));
    RequestHead shouted =
        get({{"Accept-Language", "en,de"}, {"Accept-Encoding", "gzip, br"}, {"Cookie", "id=1"}});
    shouted.authority = "EXAMPLE.COM:80";
    CHECK(key == key_of(route, shouted));
}

TEST_CASE("another host that the origin is told of counts, the same one does not") {
    Arena arena;
    CacheKey plain;
    CacheKey told;
    const config::RouteCache route = plain_route();
    CHECK(make_key(route, "http", get(), "/", arena, plain) == CacheReason::none);
    for (const char* same : {"example.com", "EXAMPLE.com:80", ""}) {
        CHECK(make_key(route, "http", get(), "/", arena, told, same) == CacheReason::none);
        CHECK(told.text == plain.text);
    }
    for (const char* other : {"example.org", "example.com:81", "a, example.com", "@"}) {
        CHECK(make_key(route, "http", get(), "/", arena, told, other) == CacheReason::none);
        CHECK(told.text == plain.text + "\nx-forwarded-host: " + other);
    }
}

TEST_CASE("a key comes apart into what it was made from") {
    config::RouteCache route = plain_route();
    const std::string without = key_of(route, get(), "/a?b");
    const CacheKeyParts plain = parts_of(without);
    CHECK(plain.partition == "r");
    CHECK(plain.scheme == "http");
    CHECK(plain.authority == "example.com");
    CHECK(plain.target == "/a?b");
    CHECK(plain.chosen.empty());
    route.key.headers = {"x-a", "x-b"};
    route.key.cookies = {"id"};
    const std::string text = key_of(route, get({{"X-A", "1"}, {"Cookie", "id=7"}}), "/a");
    CHECK(parts_of(text).target == "/a");
    CHECK(parts_of(text).chosen == "x-a: 1\nx-b\nid;id=7");
    CHECK(parts_of("").target.empty());
}

TEST_CASE("without a host, and beyond the longest key, there is no key") {
    Arena arena;
    CacheKey key;
    RequestHead request = get();
    const std::string longest(limits::cache_key, 'x');
    CHECK(make_key(plain_route(), "http", request, longest, arena, key) ==
          CacheReason::key_too_long);
    config::RouteCache route = plain_route();
    route.key.headers = {"x-a"};
    CHECK(make_key(route, "http", get({{"X-A", longest}}), "/", arena, key) ==
          CacheReason::key_too_long);
    request.authority = {};
    CHECK(make_key(plain_route(), "http", request, "/", arena, key) == CacheReason::bad_authority);
}

TEST_CASE("hashes differ with one bit, and for texts of every length") {
    std::set<std::uint64_t> hashes;
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        hashes.insert(cache_hash(text));
        text += 'a';
    }
    CHECK(hashes.size() == 1000);
    CHECK(cache_hash("ab") != cache_hash("aB"));
    CHECK(cache_hash("ab") == cache_hash(std::string("ab")));
}

TEST_CASE("a key, and a target in which nothing is ignored, allocate nothing") {
    config::RouteCache route = plain_route();
    route.key.headers = {"accept-language"};
    route.key.cookies = {"id"};
    route.key.ignore_query = {"utm_*"};
    const RequestHead request = get({{"Accept-Language", "en, de"}, {"Cookie", "a=1; id=2"}});
    Arena arena;
    CacheKey key;
    key.text.reserve(256);
    const std::size_t before = allocations();
    const std::string_view target = counting_target("/some/path?with=query", route.key, arena);
    const CacheReason reason = make_key(route, "http", request, target, arena, key);
    const std::size_t made = allocations() - before;
    CHECK(reason == CacheReason::none);
    CHECK(made == 0);
}
