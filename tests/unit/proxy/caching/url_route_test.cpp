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
    Arena arena;
    make_hand_key("/_cache/x", arena, hand);
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

TEST_CASE("a bare key is served at one path, and cannot leave it") {
    CHECK(hand_target("greeting") == "/_cache/greeting");
    CHECK(hand_target("nft/one two?") == "/_cache/nft/one%20two%3F");
    CHECK(hand_target("") == "");
    CHECK(hand_target("../x") == "");
    CHECK(hand_target("a/../../x") == "");
    CHECK(hand_target(std::string("a\0b", 3)) == "");
}
