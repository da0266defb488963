// Exchanges with origins over HTTP/2, with every single stream operation going wrong in every way:
// whatever happens, nothing stays behind, no answer is wrong, and each exchange is one event.
#include <doctest/doctest.h>

#include "tests/unit/proxy/http2/played_origin.hpp"
#include "tests/unit/proxy/pipeline/edge.hpp"
#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

using Way = Faults::Way;

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

std::string over_http2(std::string_view more = "") {
    std::string yaml = two_endpoints;
    const std::string from = "provider: aws";
    return yaml.replace(yaml.find(from), from.size(),
                        from + "\n    protocol: h2c" + std::string(more));
}

struct Play {
    std::vector<std::vector<PlayedClient::Request>> clients;
    std::function<Origin()> origin;
    std::vector<int> statuses;  ///< of all clients, when nothing goes wrong
    std::string body = ten;     ///< of each answer with status 200
    int seconds = 0;            ///< that may go by although nothing stalls
};

Origin answer_ten_2() {
    return origin_over_http2(
        [](PlayedOrigin& origin, std::int32_t stream) { origin.respond(stream, ten); });
}

/// The number of operations that there were.
std::size_t run(const Play& play, std::size_t nth, Way way) {
    INFO("operation ", nth, ", way ", static_cast<int>(way));
    Edge edge(over_http2());
    edge.faults.strike(nth, way);
    if (way == Way::none) edge.faults.beside(nth, [&] { edge.worker.abandon_all(); });
    edge.dialer.on_connect = [&](ScriptedPeer& peer) { peer.on_change(play.origin()); };
    std::vector<std::shared_ptr<ScriptedPeer>> peers;
    std::vector<std::unique_ptr<PlayedClient>> clients;
    for (const auto& requests : play.clients) {
        peers.push_back(edge.client());
        clients.push_back(std::make_unique<PlayedClient>(*peers.back(), requests));
    }
    CHECK(edge.settle());
    int seconds = 0;
    for (; !edge.served() && seconds < 60; ++seconds)
        CHECK(edge.pass(1s));
    CHECK_MESSAGE(edge.served(), "a session does not end");
    const bool struck = edge.faults.struck();
    if (way != Way::stall || !struck) CHECK(seconds <= play.seconds);
    CHECK(edge.leftovers() == "");
    std::size_t begun = 0;
    std::vector<int> statuses;
    for (const auto& client : clients) {
        begun += client->begun();
        for (const ReadMessage& answer : client->answers()) {
            CHECK_FALSE(answer.malformed);
            if (answer.status == 200) CHECK(answer.body == play.body);
            statuses.push_back(answer.status);
        }
    }
    CHECK(edge.events() == begun);
    if (!struck) CHECK(statuses == play.statuses);
    return edge.faults.seen();
}

void run_all(const Play& play) {
    REQUIRE(run(play, 0, Way::none) > 2);
    for (const Way way : {Way::none, Way::reset, Way::late_reset, Way::end, Way::stall}) {
        std::size_t nth = 1;
        while (nth < 300 && run(play, nth, way) >= nth)
            ++nth;
        CHECK(nth < 300);
    }
}

}  // namespace

TEST_CASE("a GET to an origin over HTTP/2 leaves nothing behind, whichever operation fails") {
    run_all({.clients = {{{get}}}, .origin = answer_ten_2, .statuses = {200}});
}

TEST_CASE("requests beside and behind each other leave nothing behind, whichever operation fails") {
    run_all({.clients = {{{get}, {get}}, {{get}, {get}}, {{get}}},
             .origin = answer_ten_2,
             .statuses = {200, 200, 200, 200, 200}});
}

TEST_CASE("an upload over HTTP/2 leaves nothing behind, whichever operation fails") {
    const std::string body(100'000, 'u');
    const std::string put = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
    run_all({.clients = {{{put, body}}}, .origin = answer_ten_2, .statuses = {200}});
}

TEST_CASE("a chunked upload with trailers both ways leaves nothing behind") {
    const std::string post =
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\n0123\r\n0\r\nX-Sum: 1\r\n\r\n";
    const auto origin = [] {
        return origin_over_http2([](PlayedOrigin& one, std::int32_t stream) {
            one.respond(stream, ten, {{"x-sum", "2"}});
        });
    };
    run_all({.clients = {{{post}}}, .origin = origin, .statuses = {200}});
}

TEST_CASE("a refused stream is sent again and leaves nothing behind") {
    const auto origin = [] {
        auto refused = std::make_shared<bool>(false);
        return origin_over_http2([refused](PlayedOrigin& one, std::int32_t stream) {
            if (!std::exchange(*refused, true)) return one.peer.reset(stream, 7);
            one.respond(stream, ten);
        });
    };
    const std::string post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    run_all({.clients = {{{post}}}, .origin = origin, .statuses = {200}});
}

TEST_CASE("GOAWAY and another connection leave nothing behind") {
    const auto origin = [] {
        return origin_over_http2([](PlayedOrigin& one, std::int32_t stream) {
            one.respond(stream, ten);
            one.peer.go_away(stream);
        });
    };
    run_all({.clients = {{{get}, {get}, {get}}}, .origin = origin, .statuses = {200, 200, 200}});
}

TEST_CASE("an answer that is reset half-way is never made to look whole") {
    const auto origin = [] {
        return origin_over_http2([](PlayedOrigin& one, std::int32_t stream) {
            one.peer.head(stream, {{":status", "200"}}, false);
            one.say();
            one.peer.reset(stream, 2);
        });
    };
    run_all({.clients = {{{get}}}, .origin = origin, .statuses = {}});
}

TEST_CASE("an origin that hangs up leaves nothing behind") {
    const auto origin = [] {
        return origin_over_http2([](PlayedOrigin& one, std::int32_t stream) {
            one.respond(stream, ten);
            one.hang_up();
        });
    };
    run_all({.clients = {{{get}, {get}}}, .origin = origin, .statuses = {200, 200}});
}

TEST_CASE("an origin that takes one stream at a time serves all, one after the other") {
    const auto origin = [] {
        return origin_over_http2(
            [](PlayedOrigin& one, std::int32_t stream) { one.respond(stream, ten); },
            {.streams = 1});
    };
    run_all({.clients = {{{get}}, {{get}}, {{get}}, {{get}}},
             .origin = origin,
             .statuses = {200, 200, 200, 200}});
}

TEST_CASE("an origin that is not one of HTTP/2 is a 502, and leaves nothing behind") {
    const auto origin = [] {
        return [](ScriptedPeer& peer) {
            if (peer.sent().empty()) peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        };
    };
    run_all({.clients = {{{get}}}, .origin = origin, .statuses = {502}});
}
