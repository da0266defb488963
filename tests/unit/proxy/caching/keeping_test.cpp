// What is stored and for whom, what makes it invalid, and what stands in when the origin fails.
#include <doctest/doctest.h>

#include "tests/unit/proxy/caching/cached_edge.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("Vary: each variant has its own answer") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        return CachedEdge::reply("200 OK\nVary: X-Tongue\nCache-Control: max-age=60",
                                 "in " + request.field("X-Tongue"));
    };
    CHECK(site.get("\nX-Tongue: de").body == "in de");
    const ReadMessage other = site.get("\nX-Tongue: en");
    CHECK(other.body == "in en");
    CHECK(other.field("Cache-Status") == "scrollgate; fwd=vary-miss; stored");
    CHECK(site.get("\nX-Tongue: de").body == "in de");
    CHECK(site.get("\nX-Tongue: en").body == "in en");
    CHECK(site.asked.size() == 2);
}

TEST_CASE("Vary on what the proxy sets compares what was sent, not what a client claims") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        return CachedEdge::reply("200 OK\nVary: X-Forwarded-For\nCache-Control: max-age=60",
                                 request.field("X-Forwarded-For"));
    };
    CHECK(site.get().body == "198.51.100.7");
    CHECK(site.get().body == "198.51.100.7");
    CHECK(site.asked.size() == 1);
    const auto other = site.edge.client("203.0.113.9");
    other->send("GET /a HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n");
    CHECK(site.edge.settle());
    CHECK(site.finish(*other).body == "203.0.113.9");
    CHECK(site.asked.size() == 2);
}

TEST_CASE("who comes when a head has come that varies by what the proxy sets is collapsed, too") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::crlf(
            "HTTP/1.1 200 OK\nVary: X-Forwarded-Proto\n"
            "Cache-Control: max-age=60\nContent-Length: 6\n\nhal");
    };
    const auto leader = site.send("GET /a HTTP/1.1\nHost: a.example");
    CHECK(leader->written().ends_with("hal"));
    const auto late = site.send("GET /a HTTP/1.1\nHost: a.example");
    CHECK(site.asked.size() == 1);
    site.edge.dialer.peers.back()->send("ves");
    CHECK(site.edge.settle());
    CHECK(site.finish(*leader).body == "halves");
    CHECK(site.finish(*late).body == "halves");
}

TEST_CASE("what cannot be shared is its client's alone, and the next ones pass at once") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nSet-Cookie: id=1\nCache-Control: private", "mine");
    };
    const ReadMessage first = site.get();
    CHECK(first.field("Set-Cookie") == "id=1");
    CHECK(first.field("Cache-Status") == "scrollgate; fwd=miss; detail=private");
    const ReadMessage second = site.get();
    CHECK(second.body == "mine");
    CHECK(second.field("Cache-Status") == "scrollgate; fwd=bypass; detail=hit-for-miss");
    CHECK(site.asked.size() == 2);
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "ours");
    };
    site.pass(11);
    CHECK(site.get().field("Cache-Status") == "scrollgate; fwd=miss; stored");
}

TEST_CASE("an answer that one client's cookie made private keeps nobody's from being stored") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        const bool known = !request.field("Cookie").empty();
        return CachedEdge::reply(
            known ? "200 OK\nCache-Control: private" : "200 OK\nCache-Control: max-age=60",
            known ? "mine" : "ours");
    };
    CHECK(site.get("\nCookie: session=1").body == "mine");
    CHECK(site.get().field("Cache-Status") == "scrollgate; fwd=bypass; detail=hit-for-miss");
    CHECK(site.get("\nCookie: session=2").body == "mine");  // leaves the marker as weak as it is
    CHECK(site.get().field("Cache-Status") == "scrollgate; fwd=miss; stored");
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=60");
    CHECK(site.asked.size() == 4);
}

TEST_CASE("what turned out too large is not tried again while its marker lasts") {
    CachedEdge site("cache: { memory: 8MiB, max_object: 4KiB }\n" + cached_route());
    site.answer = [](const ReadMessage&) {
        return CachedEdge::crlf(
                   "HTTP/1.1 200 OK\nCache-Control: max-age=60\n"
                   "Transfer-Encoding: chunked\n\n") +
               "1388\r\n" + std::string(5000, 'x') + "\r\n0\r\n\r\n";
    };
    CHECK(site.get().body.size() == 5000);
    for (int i = 0; i < 3; ++i)
        CHECK(site.get().field("Cache-Status") == "scrollgate; fwd=bypass; detail=hit-for-miss");
}

TEST_CASE("an answer to Authorization is not shared unless it says so") {
    CachedEdge site;
    CHECK(site.get("\nAuthorization: Basic eDp5").body == "hello");
    CHECK(site.get("\nAuthorization: Basic eDp5").body == "hello");
    CHECK(site.asked.size() == 2);
    CHECK(site.get().field("Cache-Status") == "scrollgate; fwd=miss; stored");
}

TEST_CASE("a field that may not be stored goes to the client that led, and to no other") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply(
            "200 OK\nX-Own: secret\nCache-Status: far; fwd=miss\n"
            "Cache-Control: max-age=60, private=\"X-Own\"",
            "hello");
    };
    const ReadMessage leader = site.get();
    CHECK(leader.field("X-Own") == "secret");
    CHECK(leader.head.find("Cache-Status: far; fwd=miss\r\nCache-Status: scrollgate;") !=
          std::string::npos);
    const ReadMessage later = site.get();
    CHECK(later.field("X-Own") == "");
    CHECK(later.field("Cache-Status") == "scrollgate; hit; ttl=60");
}

TEST_CASE("a POST that succeeds makes what is stored for its URL invalid") {
    CachedEdge site;
    static_cast<void>(site.get());
    site.answer = [](const ReadMessage& request) {
        const bool post = request.head.starts_with("POST");
        return CachedEdge::reply(post ? "204 No Content" : "200 OK\nCache-Control: max-age=60",
                                 post ? "" : "new");
    };
    site.answer = [](const ReadMessage& request) {
        if (request.head.starts_with("POST")) return std::string("HTTP/1.1 204 No Content\r\n\r\n");
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "new");
    };
    CHECK(site.get().body == "hello");
    const ReadMessage post = site.ask("POST /a HTTP/1.1\nHost: a.example\nContent-Length: 0");
    CHECK(post.status == 204);
    CHECK(post.field("Cache-Status") == "scrollgate; fwd=method");
    CHECK(site.get().body == "new");
}

TEST_CASE("a POST that fails leaves what is stored") {
    CachedEdge site;
    static_cast<void>(site.get());
    site.answer = [](const ReadMessage&) { return CachedEdge::reply("500 Oops", ""); };
    CHECK(site.ask("POST /a HTTP/1.1\nHost: a.example\nContent-Length: 0").status == 500);
    CHECK(site.get().body == "hello");
}

TEST_CASE("a stale response is validated, and its fields are brought up to date") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        if (request.field("If-None-Match") == "\"v1\"") {
            return std::string(
                "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nX-Turn: 2\r\n"
                "Cache-Control: max-age=30\r\n\r\n");
        }
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nX-Turn: 1\nCache-Control: max-age=5",
                                 "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    const ReadMessage validated = site.get();
    CHECK(validated.status == 200);
    CHECK(validated.body == "hello");
    CHECK(validated.field("X-Turn") == "2");
    CHECK(validated.field("Cache-Status") == "scrollgate; fwd=stale; fwd-status=304; ttl=30");
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=30");
    CHECK(site.asked.size() == 2);
}

TEST_CASE("a 304 about something else is not used") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        if (!request.field("If-None-Match").empty()) {
            return std::string("HTTP/1.1 304 Not Modified\r\nETag: \"v2\"\r\n\r\n");
        }
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: max-age=5", "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    const ReadMessage again = site.get();
    CHECK(again.status == 200);
    CHECK(again.body == "hello");
    CHECK(site.asked.size() == 3);
}

TEST_CASE("a 304 that sets a cookie gives the stored body to its client alone") {
    CachedEdge site;
    const std::string body(200'000, 'b');
    site.answer = [&](const ReadMessage& request) {
        if (!request.field("If-None-Match").empty()) {
            return std::string(
                "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n"
                "Set-Cookie: id=7\r\n\r\n");
        }
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: max-age=5", body);
    };
    static_cast<void>(site.get());
    site.pass(6);
    for (std::size_t times = 2; times < 4; ++times) {
        const ReadMessage validated = site.get();
        CHECK(validated.status == 200);
        CHECK(validated.body == body);
        CHECK(validated.field("Set-Cookie") == "id=7");
        CHECK(validated.field("Cache-Status") == "scrollgate; fwd=stale; detail=set-cookie");
        CHECK(site.asked.size() == times);
    }
}

TEST_CASE("a 304 that says no-store gives the stored body once more, and it is forgotten") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        if (!request.field("If-None-Match").empty()) {
            return std::string(
                "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n"
                "Cache-Control: no-store\r\n\r\n");
        }
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: max-age=5", "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    CHECK(site.get().body == "hello");
    CHECK(site.asked.size() == 2);
    CHECK(site.edge.cache.store.numbers().entries == 0);
}

TEST_CASE("a stale response stands in for an origin that answers 503, or cannot be reached") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=5, stale-if-error=60", "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    site.answer = [](const ReadMessage&) { return CachedEdge::reply("503 Sorry", "sorry"); };
    const ReadMessage first = site.get();
    CHECK(first.status == 200);
    CHECK(first.body == "hello");
    CHECK(first.field("Age") == "6");
    CHECK(first.field("Cache-Status") ==
          "scrollgate; fwd=stale; fwd-status=503; ttl=-1; detail=stale-if-error");
    site.refuses = true;
    site.edge.worker.upstreams().close_idle();
    const ReadMessage second = site.get();
    CHECK(second.body == "hello");
    CHECK(second.field("Cache-Status") == "scrollgate; fwd=stale; ttl=-1; detail=connect_refused");
    site.pass(60);
    CHECK(site.get().status == 502);
}

TEST_CASE("must-revalidate is never answered stale") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=5, must-revalidate", "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    site.refuses = true;
    site.edge.worker.upstreams().close_idle();
    CHECK(site.get().status == 502);
}

TEST_CASE("stale-while-revalidate answers now and refreshes behind the answer") {
    CachedEdge site;
    std::string body = "one";
    site.answer = [&](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=5, stale-while-revalidate=60",
                                 body);
    };
    static_cast<void>(site.get());
    site.pass(6);
    body = "two";
    const ReadMessage stale = site.get();
    CHECK(stale.body == "one");
    CHECK(stale.field("Cache-Status") == "scrollgate; hit; ttl=-1");
    CHECK(site.asked.size() == 2);
    CHECK(site.get().body == "two");
    CHECK(site.asked.size() == 2);
}

TEST_CASE("what the origin has withdrawn is not used stale any more") {
    for (const char* withdrawn : {"404 Not Found", "410 Gone", "401 No", "403 No"}) {
        CachedEdge site(cached_route(", stale_while_revalidate: 60s, stale_if_error: 60s"));
        site.answer = [](const ReadMessage&) {
            return CachedEdge::reply("200 OK\nCache-Control: max-age=1", "old");
        };
        static_cast<void>(site.get());
        site.pass(3);
        site.answer = [withdrawn](const ReadMessage&) {
            return CachedEdge::reply(withdrawn, "no");
        };
        CHECK(site.get().body == "old");  // while it is refreshed
        CHECK(site.get().body == "no");
        CHECK(site.get().body == "no");
        site.answer = [](const ReadMessage&) { return CachedEdge::reply("500 Oh", "broken"); };
        const bool gone = withdrawn[1] == '0' && withdrawn[2] == '4';
        if (gone) CHECK(site.get().body == "broken");
    }
}

TEST_CASE("only-if-cached is answered from the store or with 504") {
    CachedEdge site;
    CHECK(site.get("\nCache-Control: only-if-cached").status == 504);
    CHECK(site.asked.empty());
    static_cast<void>(site.get());
    CHECK(site.get("\nCache-Control: only-if-cached").body == "hello");
}

TEST_CASE("requests that are not for the cache pass") {
    CachedEdge site;
    static_cast<void>(site.get());
    CHECK(site.get("\nContent-Length: 2\n\nab").field("Cache-Status") ==
          "scrollgate; fwd=bypass; detail=request-body");
    CHECK(
        site.get("\nIf-Match: \"x\"").field("Cache-Status").starts_with("scrollgate; fwd=request"));
    CHECK(site.asked.size() == 3);
    CHECK(site.get("\nCache-Control: no-cache").field("Cache-Status") ==
          "scrollgate; fwd=request; stored");
    CHECK(site.asked.size() == 4);
}

TEST_CASE("an answer to HEAD that is about something else removes what is stored") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: max-age=5", "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    site.answer = [](const ReadMessage&) {
        return std::string("HTTP/1.1 200 OK\r\nETag: \"v2\"\r\nContent-Length: 9\r\n\r\n");
    };
    static_cast<void>(site.ask("HEAD /a HTTP/1.1\nHost: a.example"));
    CHECK(site.edge.cache.store.numbers().entries == 0);
}

TEST_CASE("an answer to HEAD that is about what is stored refreshes it") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: max-age=5", "hello");
    };
    static_cast<void>(site.get());
    site.pass(6);
    site.answer = [](const ReadMessage&) {
        return std::string(
            "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=50\r\n"
            "Content-Length: 5\r\n\r\n");
    };
    static_cast<void>(site.ask("HEAD /a HTTP/1.1\nHost: a.example"));
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=50");
    CHECK(site.asked.size() == 2);
}

TEST_CASE("what has more tags than a purge could find it by is not stored") {
    std::string many, most;
    for (int i = 0; i <= 255; ++i) {
        if (i < 255) most += " t" + std::to_string(i);
        many += " t" + std::to_string(i);
    }
    for (const auto& [tags, stored] :
         {std::pair{many, false}, {most, true}, {std::string(1025, 'x'), false}}) {
        CachedEdge site;
        site.answer = [&tags = tags](const ReadMessage&) {
            return CachedEdge::reply(
                "200 OK\nCache-Control: max-age=60\nSurrogate-Key:" + (" " + tags), "body");
        };
        const std::string first =
            stored ? "scrollgate; fwd=miss; stored" : "scrollgate; fwd=miss; detail=too-many-tags";
        CHECK(site.get().field("Cache-Status") == first);
        CHECK(site.get().body == "body");
        CHECK(site.asked.size() == (stored ? 1 : 2));
    }
}
