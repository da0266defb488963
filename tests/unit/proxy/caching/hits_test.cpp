// What is answered from the store, and how: whole, in part, not at all.
#include <doctest/doctest.h>

#include "tests/unit/proxy/caching/cached_edge.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("a second GET is a hit: one request to the origin, with Age and Cache-Status") {
    CachedEdge site;
    const ReadMessage first = site.get();
    CHECK(first.status == 200);
    CHECK(first.body == "hello");
    CHECK(first.field("Cache-Status") == "scrollgate; fwd=miss; stored");
    CHECK(first.field("Age") == "");
    site.pass(7);
    const ReadMessage second = site.get();
    CHECK(second.status == 200);
    CHECK(second.body == "hello");
    CHECK(second.field("Cache-Status") == "scrollgate; hit; ttl=53");
    CHECK(second.field("Age") == "7");
    CHECK(second.field("Content-Length") == "5");
    CHECK(second.field("Via") == "1.1 edge-under-test");
    CHECK(second.field("Date") == first.field("Date"));
    CHECK(second.field("X-Request-Id") != first.field("X-Request-Id"));
    CHECK(site.asked.size() == 1);
    const RouteTotals totals = site.edge.metrics.route_totals(site.edge.snapshot->routes[0].series);
    CHECK(totals.requests == 2);
    CHECK(totals.hits == 1);
    CHECK(totals.misses == 1);
    CHECK(totals.fills == 1);
}

TEST_CASE("HEAD is answered from a stored GET, with its length and without a body") {
    CachedEdge site;
    static_cast<void>(site.get());
    const ReadMessage head = site.ask("HEAD /a HTTP/1.1\nHost: a.example");
    CHECK(head.status == 200);
    CHECK(head.field("Content-Length") == "5");
    CHECK(head.body == "");
    CHECK(head.field("Cache-Status") == "scrollgate; hit; ttl=60");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("a HEAD that finds nothing goes on as HEAD and stores nothing") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\n";
    };
    const ReadMessage head = site.ask("HEAD /a HTTP/1.1\nHost: a.example");
    CHECK(head.field("Content-Length") == "5");
    CHECK(head.field("Cache-Status") == "scrollgate; fwd=miss");
    CHECK(site.asked.at(0).head.starts_with("HEAD /a "));
    CHECK(site.edge.cache.store.numbers().entries == 0);
}

TEST_CASE("a client that has the stored response gets 304 without a body") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply(
            "200 OK\nETag: \"v1\"\nCache-Control: max-age=60\n"
            "Content-Type: text/plain",
            "hello");
    };
    static_cast<void>(site.get());
    const ReadMessage known = site.get("\nIf-None-Match: W/\"v1\"");
    CHECK(known.status == 304);
    CHECK(known.body == "");
    CHECK(known.field("ETag") == "\"v1\"");
    CHECK(known.field("Content-Type") == "");
    CHECK(known.field("Age") == "0");
    CHECK(site.get("\nIf-None-Match: \"v0\"").status == 200);
    CHECK(site.asked.size() == 1);
}

TEST_CASE("a conditional miss asks for the whole and answers 304 if that is what the client has") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nETag: \"v1\"\nCache-Control: max-age=60", "hello");
    };
    CHECK(site.get("\nIf-None-Match: \"v1\"").status == 304);
    CHECK(site.asked.at(0).field("If-None-Match") == "");
    CHECK(site.get().body == "hello");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("ranges of a stored response: one, several, none that exists") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60\nContent-Type: text/plain",
                                 "0123456789");
    };
    static_cast<void>(site.get());
    const ReadMessage one = site.get("\nRange: bytes=2-4");
    CHECK(one.status == 206);
    CHECK(one.body == "234");
    CHECK(one.field("Content-Range") == "bytes 2-4/10");
    CHECK(one.field("Content-Length") == "3");
    CHECK(site.get("\nRange: bytes=-3").body == "789");
    const ReadMessage two = site.get("\nRange: bytes=0-1, 8-");
    CHECK(two.status == 206);
    CHECK(two.complete);
    const std::string type = two.field("Content-Type");
    REQUIRE(type.starts_with("multipart/byteranges; boundary="));
    const std::string boundary = type.substr(type.find('=') + 1);
    CHECK(two.body == "--" + boundary +
                          "\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
                          "\r\n--" +
                          boundary +
                          "\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
                          "\r\n--" +
                          boundary + "--\r\n");
    const ReadMessage none = site.get("\nRange: bytes=10-");
    CHECK(none.status == 416);
    CHECK(none.field("Content-Range") == "bytes */10");
    CHECK(none.body == "");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("a range of what is not stored fills the whole and answers with the range") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "0123456789");
    };
    const ReadMessage part = site.get("\nRange: bytes=3-5");
    CHECK(part.status == 206);
    CHECK(part.body == "345");
    CHECK(site.asked.at(0).field("Range") == "");
    CHECK(site.get().body == "0123456789");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("a range of what is not to be stored is asked for as a range") {
    CachedEdge site;
    site.answer = [](const ReadMessage& request) {
        if (request.field("Range").empty()) {
            return CachedEdge::reply("200 OK\nCache-Control: no-store", "0123456789");
        }
        return CachedEdge::reply("206 Partial Content\nContent-Range: bytes 3-5/10", "345");
    };
    const ReadMessage part = site.get("\nRange: bytes=3-5");
    CHECK(part.status == 206);
    CHECK(part.body == "345");
    CHECK(site.asked.size() == 2);
}

TEST_CASE("fields that the route changes are changed in a hit") {
    CachedEdge site(
        cached_route("", ", response_headers: { set: { X-Edge: here }, remove: [ X-In ] }"));
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nX-In: 1\nCache-Control: max-age=60", "hello");
    };
    for (int i = 0; i < 2; ++i) {
        const ReadMessage answer = site.get();
        CHECK(answer.field("X-Edge") == "here");
        CHECK(answer.field("X-In") == "");
        CHECK(answer.body == "hello");
    }
    CHECK(site.asked.size() == 1);
}

TEST_CASE("long bodies are given back byte for byte, whether they shrink or not") {
    std::string text, noise;
    std::uint32_t state = 1;
    while (text.size() < 300'000)
        text += "line " + std::to_string(text.size() / 64) + " of many\n";
    while (noise.size() < 300'000)
        noise += static_cast<char>((state = state * 1664525 + 1) >> 24);
    for (const std::string& body : {text, noise}) {
        CachedEdge site;
        site.answer = [&](const ReadMessage&) {
            return CachedEdge::reply("200 OK\nCache-Control: max-age=60", body);
        };
        CHECK(site.get().body == body);
        CHECK(site.get().body == body);
        CHECK(site.get("\nRange: bytes=60000-140000").body == body.substr(60'000, 80'001));
        CHECK(site.asked.size() == 1);
    }
}

TEST_CASE("a hit that finds no buffer to unpack into is asked of the origin") {
    CachedEdge site;
    const std::string body(200'000, 'z');
    site.answer = [&](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", body);
    };
    CHECK(site.get().body == body);
    std::vector<BufferLease> all;
    while (BufferLease lease = site.edge.worker.loop().block_buffers().lease())
        all.push_back(std::move(lease));
    for (const char* more : {"", "\nRange: bytes=0-199999"}) {
        const ReadMessage passed = site.get(more);
        CHECK(passed.status == 200);
        CHECK(passed.body == body);
        CHECK(passed.field("Cache-Status") == "scrollgate; fwd=bypass; detail=no-memory");
    }
    CHECK(site.asked.size() == 3);
    all.clear();
    CHECK(site.get().body == body);
    CHECK(site.asked.size() == 3);
}

TEST_CASE("a client of HTTP/1.0 gets a hit, too") {
    CachedEdge site;
    static_cast<void>(site.get());
    const ReadMessage old = site.ask("GET /a HTTP/1.0\nHost: a.example");
    CHECK(old.body == "hello");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("pipelined hits are answered in order") {
    CachedEdge site;
    static_cast<void>(site.get());
    const std::string one = "GET /a HTTP/1.1\nHost: a.example";
    const auto client = site.send(one + "\n\n" + one + "\n\n" + one);
    std::string_view rest = client->written();
    for (int i = 0; i < 3; ++i) {
        const ReadMessage answer = read_final(rest);
        REQUIRE(answer.complete);
        CHECK(answer.body == "hello");
        rest.remove_prefix(answer.size);
    }
    CHECK(rest.empty());
    static_cast<void>(site.finish(*client));
}
