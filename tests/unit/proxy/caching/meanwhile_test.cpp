// What comes while an origin is asked: purges, and what others store. And what no client decides.
#include <doctest/doctest.h>

#include "proxy/caching/by_hand.hpp"
#include "tests/unit/proxy/caching/cached_edge.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

const std::string get_a = "GET /a HTTP/1.1\nHost: a.example";
const std::string head_a = "HEAD /a HTTP/1.1\nHost: a.example";

void purge_a(CachedEdge& site) {
    Purge purge;
    purge.by = Purge::By::url;
    purge.what = "a.example/a";
    REQUIRE(site.edge.cache.store.purge(purge));
}

/// Something stale is stored, and from now on the origin is answered for by hand.
void hold_stale(CachedEdge& site, const std::string& control = "max-age=5") {
    site.answer = [control](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: " + control, "old");
    };
    static_cast<void>(site.get());
    site.pass(6);
    site.answer = [](const ReadMessage&) { return std::string(); };
}

void origin_sends(CachedEdge& site, const std::string& bytes) {
    site.edge.dialer.peers.back()->send(CachedEdge::crlf(bytes) + "\r\n\r\n");
    CHECK(site.edge.settle());
}

void set_by_hand(CachedEdge& site, const std::string& name, std::uint32_t ttl) {
    const Snapshot& snapshot = *site.edge.snapshot;
    const HandPlace place = find_hand_place(snapshot, name);
    const CacheRefusal refusal =
        put_by_hand(site.edge.cache.store, site.edge.clock, snapshot.config->cache, place,
                    {"text/plain", "by hand", ttl});
    REQUIRE(refusal.token == "");
}

std::size_t stored(const CachedEdge& site) {
    return site.edge.cache.store.numbers().entries;
}

}  // namespace

TEST_CASE("what was purged while a HEAD was under way is not refreshed by its answer") {
    CachedEdge site;
    hold_stale(site);
    const auto client = site.send(head_a);
    purge_a(site);
    origin_sends(site,
                 "HTTP/1.1 200 OK\nETag: \"v1\"\nCache-Control: max-age=50\nContent-Length: 3");
    static_cast<void>(site.finish(*client, true));
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "new");
    };
    CHECK(site.get().body == "new");
}

TEST_CASE("what was purged while it was validated is not stored anew by the 304") {
    CachedEdge site;
    hold_stale(site);
    const auto client = site.send(get_a);
    CHECK(site.asked.back().field("If-None-Match") == "\"v1\"");
    purge_a(site);
    origin_sends(site, "HTTP/1.1 304 Not Modified\nETag: \"v1\"\nCache-Control: max-age=60");
    static_cast<void>(site.finish(*client));
    CHECK(stored(site) == 0);
}

TEST_CASE("a follower that leads a fill of its own does not bring back what was purged meanwhile") {
    CachedEdge site;
    hold_stale(site);
    const auto leader = site.send(get_a + "\nX-Tongue: de");
    const auto follower = site.send(get_a + "\nX-Tongue: en");
    purge_a(site);
    site.answer = [](const ReadMessage& request) {
        if (!request.field("If-None-Match").empty())
            return std::string("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "new");
    };
    origin_sends(site,
                 "HTTP/1.1 200 OK\nVary: X-Tongue\nCache-Control: max-age=60\nContent-Length: 0");
    static_cast<void>(site.finish(*leader));
    CHECK(site.finish(*follower).body == "new");
}

TEST_CASE("what was purged meanwhile does not stand in for an origin that fails") {
    CachedEdge site;
    hold_stale(site, "max-age=5, stale-if-error=60");
    const auto client = site.send(get_a);
    purge_a(site);
    site.answer = [](const ReadMessage&) { return CachedEdge::reply("503 Sorry", ""); };
    origin_sends(site, "HTTP/1.1 503 Sorry\nContent-Length: 0");
    CHECK(site.finish(*client).status == 503);
}

TEST_CASE("an origin that is slow is not answered for with what was purged meanwhile") {
    CachedEdge site(cached_route(", stale_if_slow: 1s"));
    hold_stale(site);
    const auto client = site.send(get_a);
    purge_a(site);
    site.pass(2);
    CHECK(client->written() == "");
    origin_sends(site, "HTTP/1.1 200 OK\nCache-Control: max-age=60\nContent-Length: 0");
    CHECK(site.finish(*client).status == 200);
}

TEST_CASE("HEAD reaches the origin as a fill does: nothing that is in no key decides") {
    CachedEdge site(cached_route(", key: { query: { ignore: [utm_x] } }"));
    site.answer = [](const ReadMessage&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    };
    static_cast<void>(site.ask("HEAD /a?utm_x=1 HTTP/1.1\nHost: a.example\nX-Host: evil"));
    CHECK(site.asked.at(0).head.starts_with("HEAD /a HTTP/1.1\r\n"));
    CHECK(site.asked.at(0).field("X-Host") == "");
}

TEST_CASE("a HEAD that insists on the origin changes nothing that is fresh") {
    CachedEdge site;
    static_cast<void>(site.get());
    site.answer = [](const ReadMessage&) {
        return std::string("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 9\r\n\r\n");
    };
    static_cast<void>(site.ask(head_a + "\nCache-Control: no-cache"));
    CHECK(site.asked.size() == 2);
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=60");
}

TEST_CASE("an answer to HEAD brings Vary up to date, too") {
    CachedEdge site;
    hold_stale(site);
    site.answer = [](const ReadMessage& request) {
        if (request.head.starts_with("HEAD"))
            return std::string(
                "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nVary: X-Tongue\r\n"
                "Cache-Control: max-age=50\r\nContent-Length: 3\r\n\r\n");
        return CachedEdge::reply("200 OK\nVary: X-Tongue\nCache-Control: max-age=50", "en");
    };
    static_cast<void>(site.ask(head_a + "\nX-Tongue: de"));
    CHECK(site.get("\nX-Tongue: de").body == "old");
    CHECK(site.get("\nX-Tongue: en").body == "en");
    site.pass(51);
    site.answer = [](const ReadMessage&) {
        return std::string(
            "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nVary: *\r\n"
            "Cache-Control: max-age=50\r\nContent-Length: 3\r\n\r\n");
    };
    const std::size_t before = stored(site);
    static_cast<void>(site.ask(head_a + "\nX-Tongue: de"));
    CHECK(stored(site) == before - 1);
}

TEST_CASE("an answer that is refused hides nothing that is fresh from others") {
    CachedEdge site;
    static_cast<void>(site.get());
    for (const char* refused : {"400 Bad\nCache-Control: no-store", "200 OK\nSet-Cookie: a=b"}) {
        site.answer = [refused](const ReadMessage&) { return CachedEdge::reply(refused, "no"); };
        CHECK(site.get("\nCache-Control: no-cache").body == "no");
        CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=60");
    }
}

TEST_CASE("an answer that is refused hides no other variant") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        const std::string tongue = request.field("X-Tongue");
        if (tongue == "de")
            return CachedEdge::reply("200 OK\nVary: X-Tongue\nCache-Control: max-age=60", "de");
        return CachedEdge::reply("200 OK\nVary: X-Tongue\nCache-Control: no-store", "other");
    };
    static_cast<void>(site.get("\nX-Tongue: de"));
    CHECK(site.get("\nX-Tongue: strange").body == "other");
    CHECK(site.get("\nX-Tongue: de").field("Cache-Status") == "scrollgate; hit; ttl=60");
}

TEST_CASE("a client error is not remembered: the next one may be answered well") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) { return CachedEdge::reply("431 Too large", ""); };
    CHECK(site.get("\nExpect: 100-continue").status == 431);
    CHECK(site.asked.at(0).field("Expect") == "");
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "hello");
    };
    CHECK(site.get().field("Cache-Status") == "scrollgate; fwd=miss; stored");
}

TEST_CASE("what is set by hand answers whatever the request says, while it is fresh") {
    CachedEdge site(cached_route(", entries: true"));
    set_by_hand(site, "http://a.example/a", 60);
    set_by_hand(site, "k", 60);
    const std::string get_k = "GET /_cache/k HTTP/1.1\nHost: a.example";
    for (const char* wish : {"max-age=0", "no-cache", "no-store", "min-fresh=1000"}) {
        CHECK(site.get(std::string("\nCache-Control: ") + wish).body == "by hand");
        CHECK(site.ask(get_k + "\nCache-Control: " + wish).body == "by hand");
        static_cast<void>(site.ask(head_a + "\nCache-Control: " + wish));
    }
    CHECK(site.asked.empty());
    site.pass(61);
    CHECK(site.ask(get_k).status == 404);
    CHECK(site.get().body == "hello");
}

TEST_CASE("what is set by hand is not fetched: neither a bare key nor a URL while it is fresh") {
    CachedEdge site(cached_route(", entries: true"));
    set_by_hand(site, "http://a.example/a", 60);
    std::vector<std::string> ends;
    for (const char* target : {"/_cache/k", "/a"}) {
        start_fill(site.edge.worker, {"http", "a.example", target, "", ""},
                   [&](const FillEnd& end) { ends.emplace_back(end.outcome); });
        CHECK(site.edge.settle());
    }
    CHECK(ends == std::vector<std::string>{"no_route", "ok"});
    CHECK(site.asked.empty());
    CHECK(site.get().body == "by hand");
}

TEST_CASE("what a HEAD finds stale stands in, too, for an origin that cannot be reached") {
    CachedEdge site;
    hold_stale(site, "max-age=5, stale-if-error=60");
    site.refuses = true;
    site.edge.worker.upstreams().close_idle();
    const ReadMessage head = site.ask(head_a);
    CHECK(head.status == 200);
    CHECK(head.field("Content-Length") == "3");
    CHECK(head.field("Cache-Status") == "scrollgate; fwd=stale; ttl=-1; detail=connect_refused");
}

TEST_CASE("what a HEAD finds stale stands in, too, for an origin that answers with an error") {
    CachedEdge site(cached_route(", stale_if_error: 60s"));
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=1", "hello");
    };
    static_cast<void>(site.get());
    site.pass(3);
    site.answer = [](const ReadMessage&) { return std::string("HTTP/1.1 500 Oh\r\n\r\n"); };
    const ReadMessage head = site.ask("HEAD /a HTTP/1.1\nHost: a.example");
    CHECK(head.status == 200);
    CHECK(head.field("Content-Length") == "5");
    CHECK(head.field("Cache-Status") ==
          "scrollgate; fwd=stale; fwd-status=500; ttl=-2; detail=stale-if-error");
    CHECK(site.asked.back().head.starts_with("HEAD "));
    site.pass(120);
    CHECK(site.ask("HEAD /a HTTP/1.1\nHost: a.example").status == 500);
}

TEST_CASE("a URL that an answer to POST names is gone, however it is spelled") {
    CachedEdge site(cached_route(", key: { query: { ignore: [utm_x] } }"));
    static_cast<void>(site.get());
    site.answer = [](const ReadMessage& request) {
        if (request.head.starts_with("POST"))
            return std::string(
                "HTTP/1.1 201 Created\r\nLocation: /x/../%61?utm_x=1\r\n"
                "Content-Length: 0\r\n\r\n");
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "new");
    };
    CHECK(site.ask("POST /b HTTP/1.1\nHost: a.example\nContent-Length: 0").status == 201);
    CHECK(site.get().body == "new");
}

TEST_CASE("a URL that no client has asked for is asked for without a client's address") {
    CachedEdge site;
    start_fill(site.edge.worker, {"http", "a.example", "/a", "", ""}, [](const FillEnd&) {});
    CHECK(site.edge.settle());
    REQUIRE(site.asked.size() == 1);
    CHECK(site.asked[0].field("X-Forwarded-For") == "");
    CHECK(site.asked[0].field("X-Real-IP") == "");
    CHECK(site.asked[0].field("Forwarded") == "for=unknown;host=\"a.example\";proto=http");
}

TEST_CASE("an origin is asked for the host in its one spelling") {
    CachedEdge site;
    static_cast<void>(site.ask("GET /a HTTP/1.1\nHost: A.example:80"));
    CHECK(site.asked.at(0).field("X-Forwarded-Host") == "a.example");
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=60");
}

TEST_CASE("a fill that is called off, because nobody reads it, has not failed") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) { return std::string(); };
    const auto client = site.send(get_a);
    client->reset();
    CHECK(site.edge.settle());
    origin_sends(site, "HTTP/1.1 200 OK\nCache-Control: private\nContent-Length: 4");
    site.edge.dialer.peers.back()->send("mi");
    CHECK(site.edge.settle());
    CHECK(site.edge.cache.fills.size() == 0);
    const std::string page = site.edge.metrics.text(0);
    CHECK(page.find("scrollgate_cache_fills_total{route=\"all\",ok=\"false\"} 0\n") != page.npos);
}
