// A miss, a hit and a validation, with every single stream operation going wrong in every way:
// nothing stays behind, and each exchange ends in exactly one event.
#include <doctest/doctest.h>

#include "tests/unit/proxy/caching/cached_edge.hpp"
#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string anew = "GET /a HTTP/1.1\r\nHost: a\r\nCache-Control: no-cache\r\n\r\n";

Origin answer_validating() {
    return answering([](ScriptedPeer& peer, const ReadMessage& request, std::size_t) {
        if (!request.field("If-None-Match").empty()) {
            return peer.send("HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n");
        }
        peer.send(
            "HTTP/1.1 200 OK\r\nETag: \"v\"\r\nCache-Control: max-age=60\r\n"
            "Content-Length: 10\r\n\r\n01234");
        peer.send("56789");
    });
}

}  // namespace

TEST_CASE("a miss, a hit and a validation leave nothing behind, whichever operation fails") {
    run_all({.name = "miss, hit, validation",
             .requests = {{get}, {get}, {anew}},
             .origin = answer_validating,
             .statuses = {200, 200, 200},
             .yaml = cached_route()});
}

TEST_CASE("a response that is not shared leaves nothing behind, whichever operation fails") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 10\r\n\r\n");
            peer.send(ten);
        });
    };
    run_all({.name = "private",
             .requests = {{get}, {get}},
             .origin = origin,
             .statuses = {200, 200},
             .yaml = cached_route()});
}
