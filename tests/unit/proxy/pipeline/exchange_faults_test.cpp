// Every exchange, with every single stream operation going wrong in every way: whatever happens,
// nothing stays behind, and each exchange ends in exactly one event. Error paths are where proxies
// die; this visits them all. Downloads here, uploads and tunnels in upload_faults_test.cpp.
#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_CASE("a GET leaves nothing behind, whichever operation fails") {
    run_all({.name = "GET", .requests = {{get}}, .origin = answer_ten});
}

TEST_CASE("a head that comes in pieces leaves nothing behind, whichever operation fails") {
    run_all({.name = "pieces",
             .requests = {{"GET /a HT", "TP/1.1\r\nHost:", " a\r\n\r", "\n"}},
             .origin = answer_ten});
}

TEST_CASE("a second GET over the same connections leaves nothing behind") {
    run_all({.name = "two GETs",
             .requests = {{get}, {get}},
             .origin = answer_ten,
             .statuses = {200, 200}});
}

TEST_CASE("a GET whose reused connection dies goes over a fresh one") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t nth) {
            nth == 1 ? peer.send(ok_ten + ten) : peer.finish();
        });
    };
    // Two endpoints in turn: the third request is the first on a reused connection.
    run_all({.name = "reuse dies",
             .requests = {{get}, {get}, {get}},
             .origin = origin,
             .statuses = {200, 200, 200}});
}

TEST_CASE("a chunked answer with trailers leaves nothing behind") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n01");
            peer.send("23\r\n6\r\n456789\r\n");
            peer.send("0\r\nX-Sum: 1\r\n\r\n");
        });
    };
    run_all({.name = "chunked", .requests = {{get}}, .origin = origin});
}

TEST_CASE("an answer that ends with its connection leaves nothing behind") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\n\r\n01234");
            peer.send("56789");
            peer.finish();
        });
    };
    run_all({.name = "until close", .requests = {{get}}, .origin = origin, .undelimited = true});
}

TEST_CASE("a client that takes the answer slowly leaves nothing behind") {
    const std::string body(40'000, 'x');
    const auto origin = [body] {
        return answering([body](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + body);
        });
    };
    run_all({.name = "slow client",
             .requests = {{get}},
             .origin = origin,
             .body = body,
             .client = [](PlayedClient& client) { client.slow_down(9'000); }});
}

TEST_CASE("an endpoint that refuses is followed by the next one") {
    run_all({.name = "second endpoint",
             .requests = {{get}},
             .origin = answer_ten,
             .first_refuses = true});
}

TEST_CASE("a body that is cut short is never made to look whole") {
    for (const std::string head : {"Content-Length: 10", "Transfer-Encoding: chunked"}) {
        const auto origin = [head] {
            return answering([head](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
                peer.send("HTTP/1.1 200 OK\r\n" + head + "\r\n\r\n4\r\n0123");
                peer.finish();
            });
        };
        run_all({.name = "cut short", .requests = {{get}}, .origin = origin, .statuses = {}});
    }
}

TEST_CASE("an origin's answer that goes on after its client has gone is not anybody else's") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + ten);
            peer.send(ten);  // ten more are due
        });
    };
    run_all({.name = "unfinished",
             .requests = {{get}},
             .origin = origin,
             .statuses = {},
             .seconds = 3});
}

TEST_CASE("a client that resets its connection leaves nothing behind") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send(ok_ten);  // and never its body
        });
    };
    run_all({.name = "client resets",
             .requests = {{get}},
             .origin = origin,
             .statuses = {},
             .client = [](PlayedClient& client) { client.resets = true; },
             .seconds = 3});  // after a half-close, only a write or the origin's timeout tells
}

TEST_CASE("an answer to HEAD leaves nothing behind") {
    const auto origin = [] {
        return answering(
            [](ScriptedPeer& peer, const ReadMessage&, std::size_t) { peer.send(ok_ten); });
    };
    const std::string head = "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n";
    run_all({.name = "HEAD",
             .requests = {{head}, {head}},
             .origin = origin,
             .statuses = {200, 200},
             .body = ""});
}

TEST_CASE("early hints before the answer leave nothing behind") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            peer.send("HTTP/1.1 103 Early Hints\r\n\r\n" + ok_ten + ten);
        });
    };
    run_all({.name = "103", .requests = {{get}}, .origin = origin});
}

TEST_CASE("a long answer through the large buffers leaves nothing behind") {
    const std::string body(300'000, 'y');
    const auto origin = [body] {
        return answering([body](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body);
        });
    };
    run_all({.name = "long",
             .requests = {{get}, {get}},
             .origin = origin,
             .statuses = {200, 200},
             .body = body});
}

TEST_CASE("a malformed answer leaves nothing behind") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx");
        });
    };
    run_all({.name = "malformed", .requests = {{get}}, .origin = origin, .statuses = {502}});
}

TEST_CASE("a refused request leaves nothing behind") {
    run_all({.name = "refused",
             .requests = {{"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}},
             .origin = answer_ten,
             .statuses = {400}});
}
