// Uploads and tunnels, with every single stream operation going wrong in every way: nothing stays
// behind, each exchange ends in one event, and no request is sent twice that may not be.
#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

std::string post(const std::string& framing, const std::string& more = "") {
    return "POST /p HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n" + more + "\r\n";
}

}  // namespace

TEST_CASE("a POST with a length is sent once at most and leaves nothing behind") {
    run_all({.name = "POST",
             .requests = {{post("Content-Length: 10"), "01234", "56789"}},
             .origin = answer_ten,
             .upload = ten,
             .once = true});
}

TEST_CASE("a chunked POST is sent once at most and leaves nothing behind") {
    run_all({.name = "chunked POST",
             .requests = {{post("Transfer-Encoding: chunked") + "5\r\n01234\r\n", "5\r\n56789\r\n",
                           "0\r\n\r\n"}},
             .origin = answer_ten,
             .upload = ten,
             .once = true});
}

TEST_CASE("a POST that waits for 100 leaves nothing behind") {
    const auto origin = [] {
        return [](ScriptedPeer& peer) {
            const ReadMessage request = read_message(peer.written());
            if (!request.head.empty() && peer.step == 0) {
                ++peer.step;
                peer.send("HTTP/1.1 100 Continue\r\n\r\n");
            }
            if (request.complete && peer.step == 1) {
                ++peer.step;
                peer.send(ok_ten + ten);
            }
        };
    };
    run_all({.name = "Expect",
             .requests = {{post("Content-Length: 10", "Expect: 100-continue\r\n")}},
             .origin = origin,
             .upload = ten,
             .client = [](PlayedClient& client) { client.continued = ten; },
             .once = true,
             .seconds = 3});
}

TEST_CASE("a POST whose origin ignores Expect gets its 100 from us") {
    run_all({.name = "Expect ignored",
             .requests = {{post("Content-Length: 10", "Expect: 100-continue\r\n")}},
             .origin = answer_ten,
             .upload = ten,
             .client = [](PlayedClient& client) { client.continued = ten; },
             .once = true,
             .seconds = 4});
}

TEST_CASE("a final answer before the end of the body leaves nothing behind") {
    const auto origin = [] {
        return [](ScriptedPeer& peer) {
            const ReadMessage request = read_message(peer.written());
            if (request.head.empty() || peer.step++ != 0) return;
            peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        };
    };
    run_all({.name = "early answer",
             .requests = {{post("Content-Length: 10"), "01"}},
             .origin = origin,
             .statuses = {403},
             .upload = ten,
             .once = true,
             .seconds = 3});
}

TEST_CASE("a tunnel leaves nothing behind") {
    const auto origin = [] {
        return [](ScriptedPeer& peer) {
            const std::string& got = peer.written();
            if (!read_message(got).head.empty() && peer.step == 0) {
                ++peer.step;
                peer.send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                    "Upgrade: websocket\r\n\r\nwelcome");
            }
            if (got.ends_with("101-then-ping") && peer.step == 1) {
                ++peer.step;
                peer.send("pong");
            }
            if (peer.saw_end()) peer.finish();
        };
    };
    run_all({.name = "tunnel",
             .requests = {{"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                           "Upgrade: websocket\r\n\r\n"}},
             .origin = origin,
             .statuses = {},
             .client = [](PlayedClient& client) {
                 client.hello = "101-then-ping";
                 client.bye = "pong";
             }});
}

TEST_CASE("a long POST to a slow origin leaves nothing behind") {
    const std::string body(60'000, 'z');
    const auto origin = [] {
        return [](ScriptedPeer& peer) {
            peer.window(9'000);
            if (read_message(peer.written()).complete && peer.step++ == 0) peer.send(ok_ten + ten);
        };
    };
    run_all({.name = "slow origin",
             .requests = {{post("Content-Length: 60000"), body}},
             .origin = origin,
             .upload = body,
             .connected = [](ScriptedPeer& peer) { peer.window(9'000); },
             .once = true});
}

TEST_CASE("a POST whose reused connection dies is not sent again") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t nth) {
            nth == 1 ? peer.send(ok_ten + ten) : peer.finish();
        });
    };
    const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    run_all({.name = "POST on a reused connection",
             .requests = {{get}, {get}, {post("Content-Length: 10"), ten}},
             .origin = origin,
             .statuses = {200, 200, 502},
             .upload = ten});
}

TEST_CASE("a malformed chunked POST leaves nothing behind") {
    run_all({.name = "bad chunk",
             .requests = {{post("Transfer-Encoding: chunked") + "5\r\n01234\r\n", "x\r\n"}},
             .origin = answer_ten,
             .statuses = {400},
             .upload = ten,
             .once = true});
}
