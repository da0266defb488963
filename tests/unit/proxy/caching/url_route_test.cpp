// URLs of operators lead where requests would: one spelling, the route's key, and back again.
#include "proxy/caching/url_route.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "config/loader.hpp"

using namespace scrollgate;

namespace {

struct Scene {
    Scene() {
        config::Loaded loaded = config::load_text(
            "listeners: [ { name: l, address: 127.0.0.1:0 } ]\n"
            "pools: { main: { endpoints: [ \"127.0.0.1:1\" ] } }\n"
            "routes:\n"
            "  - { name: plain, match: { path_prefix: /plain }, pools: [ main ] }\n"
            "  - { name: meta, match: { path_prefix: /metadata }, pools: [ main ],\n"
            "      rewrite: { strip_prefix: /metadata },\n"
            "      cache: { enabled: true, key: { query: { ignore: [ \"utm_*\" ] } } } }\n"
            "  - { name: raw, match: { path_prefix: /raw }, pools: [ main ], raw_path: true,\n"
            "      cache: { enabled: true } }\n"
            "  - { name: hand, match: { host: hand.example }, pools: [ main ],\n"
            "      cache: { enabled: true, entries: true, partition: _cache } }\n"
            "  - { name: all, pools: [ main ], cache: { enabled: true } }\n");
        REQUIRE(loaded.ok());
        snapshot.emplace(1, std::make_shared<const config::Config>(std::move(loaded.config)),
                         "edge", WallTime{}, metrics);
    }
    UrlRoute route(std::string_view url) {
        const PlainUrl plain = plain_url(url);
        REQUIRE(plain.wrong == "");
        return route_url(*snapshot, plain);
    }
    Metrics metrics{1};
    std::optional<Snapshot> snapshot;
};

}  // namespace

TEST_CASE("a URL has one spelling") {
    const PlainUrl url = plain_url("HTTP://A.Example:80/x/../%61?b=%2f");
    CHECK(url.wrong == "");
    CHECK(url.scheme == "http");
    CHECK(url.authority == "a.example");
    CHECK(url.path == "/a");
    CHECK(url.query == "?b=%2f");
    CHECK(plain_url("a.example").path == "/");
    CHECK(plain_url("a.example").scheme == "");
    CHECK(plain_url("https://[::1]:443/").authority == "[::1]");
}

TEST_CASE("what is no URL is told") {
    for (const char* url : {"", "/x", "ftp://a/", "http://", "http://u@a/", "http://a/#f",
                            "http://a/ b", "http://a/%00", "http://a/?\n", "http://a b/"}) {
        CAPTURE(url);
        CHECK(plain_url(url).wrong != "");
    }
}

TEST_CASE("a URL leads to its route, the forwarded target and the key of requests") {
    Scene s;
    const UrlRoute meta = s.route("http://a.example/metadata/1.json?utm_id=1&v=2");
    REQUIRE(meta.route != nullptr);
    CHECK(meta.route->route->name == "meta");
    CHECK(meta.listener == "l");
    CHECK(meta.target == "/1.json?v=2");
    const CacheKeyParts parts = parts_of(meta.key.text);
    CHECK(parts.partition == "meta");
    CHECK(parts.authority == "a.example");
    CHECK(parts.target == "/1.json?v=2");
    CHECK(s.route("http://a.example/plain").key.text == "");
}

TEST_CASE("a key leads back to a URL of clients, or to none") {
    Scene s;
    for (const char* url : {"http://a.example/metadata/1.json?v=2", "https://b.example/x"}) {
        CAPTURE(url);
        CHECK(url_of_key(*s.snapshot, s.route(url).key.text) == url);
    }
    CacheKey hand;
    make_hand_key("/_cache/x", hand);
    CHECK(url_of_key(*s.snapshot, hand.text) == "");
}

TEST_CASE("a purge by URL knows what rewrites and ignored parameters make of it") {
    Scene s;
    const auto targets =
        stored_targets(*s.snapshot, plain_url("a.example/metadata/1.json?utm_id=1"));
    const auto has = [](const auto& all, std::string_view one) {
        return std::find(all.begin(), all.end(), one) != all.end();
    };
    CHECK(has(targets, "/1.json"));
    CHECK(has(targets, "/metadata/1.json?utm_id=1"));
    CHECK(has(stored_prefixes(*s.snapshot, plain_url("a.example/metadata/x")), "/x"));
    CHECK(has(stored_prefixes(*s.snapshot, plain_url("a.example/meta")), "/"));
}

TEST_CASE("what a request may have been stored as is asked of the routes that take it") {
    Scene s;
    const auto targets = [&s](std::string_view url) {
        return targets_of(*s.snapshot, plain_url(url));
    };
    using Targets = std::vector<std::string>;
    CHECK(targets("a.example/x?utm_id=1") == Targets{"/x?utm_id=1"});
    CHECK(targets("hand.example:81/x") == Targets{"/x"});
    CHECK(targets("a.example/metadata/1?utm_id=1") ==
          Targets{"/1", "/metadata/1", "/metadata/1?utm_id=1"});
}

TEST_CASE("a bare key is served at one path, and cannot leave it") {
    CHECK(hand_target("greeting") == "/_cache/greeting");
    CHECK(hand_target("nft/one two?") == "/_cache/nft/one%20two%3F");
    CHECK(hand_target("") == "");
    CHECK(hand_target("../x") == "");
    CHECK(hand_target("a/../../x") == "");
    CHECK(hand_target(std::string("a\0b", 3)) == "");
}

TEST_CASE("a route that forwards paths as they were written has keys of them") {
    Scene s;
    CHECK(s.route("http://a.example/raw/%61").target == "/raw/%61");
    CHECK(parts_of(s.route("http://a.example/raw/%61?b").key.text).target == "/raw/%61?b");
    CHECK(s.route("http://a.example/x/%61").target == "/x/a");
    const auto targets = stored_targets(*s.snapshot, plain_url("a.example/raw/%61"));
    CHECK(std::find(targets.begin(), targets.end(), "/raw/%61") != targets.end());
    const auto prefixes = stored_prefixes(*s.snapshot, plain_url("a.example/raw/%61"));
    CHECK(std::find(prefixes.begin(), prefixes.end(), "/raw/%61") != prefixes.end());
}

TEST_CASE("where routes serve what is set by hand, a URL below /_cache/ has the bare key") {
    Scene s;
    CacheKey hand;
    make_hand_key("/_cache/x", hand);
    CHECK(is_hand_key(hand.text));
    CHECK(s.route("http://hand.example/_cache/x").key.text == hand.text);
    CHECK(s.route("https://hand.example/y/../_cache/%78").key.text == hand.text);
    CHECK_FALSE(is_hand_key(s.route("http://a.example/_cache/x").key.text));
    // A partition of that name is another one.
    CHECK(parts_of(s.route("http://hand.example/y").key.text).partition == "_cache");
    CHECK_FALSE(is_hand_key(s.route("http://hand.example/y").key.text));
    make_hand_key("/_cache/" + std::string(limits::cache_key, 'x'), hand);
    CHECK(parts_of(hand.text).target == "");
}
