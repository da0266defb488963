// Connections to origins that exchanges share: how many there are, and when they end.
#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/support/all_of.hpp"
#include "tests/unit/proxy/http2/played_origin.hpp"
#include "tests/unit/proxy/pipeline/edge.hpp"
#include "tests/unit/proxy/pipeline/played.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::size_t ping_frame = 17;

const char* const one_endpoint = R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
self: { node: edge-under-test }
timeouts: { connect: 1s, upstream_response: 1h, upstream_body: 1h, upstream_idle: 8s }
pools:
  app: { protocol: h2c, endpoints: [ "192.0.2.1:80" ], limits: { connections: 2 } }
routes:
  - { name: all, pools: [ app ], failover: { hedge: off } }
)";

/// Clients in front of an origin that answers when the test says so.
struct Site {
    explicit Site(Http2Peer::Settings settings = {}, bool hold = false) : edge(one_endpoint) {
        edge.dialer.on_connect = [=, this](ScriptedPeer& peer) {
            if (hold) peer.hold_connect();
            peer.on_change(origin_over_http2(
                [this](PlayedOrigin& origin, std::int32_t stream) {
                    asked.push_back({&origin, stream});
                },
                settings));
        };
    }
    ~Site() {
        for (const auto& peer : clients)
            peer->finish();
        CHECK(edge.settle());
        CHECK(edge.leftovers() == "");
    }

    void ask(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(edge.client());
            clients.back()->send(get);
        }
        REQUIRE(edge.settle());
    }
    /// Time goes by a second at a time.
    void seconds(int count) {
        for (int i = 0; i < count; ++i)
            CHECK(edge.pass(1s));
    }
    void answer_all() {
        while (!asked.empty()) {
            const auto all = std::exchange(asked, {});
            for (const auto& [origin, stream] : all) {
                origin->respond(stream, "0123456789");
                origin->say();
            }
            REQUIRE(edge.settle());
        }
    }
    [[nodiscard]] std::size_t answered() const {
        std::size_t count = 0;
        for (const auto& peer : clients)
            count += peer->written().starts_with("HTTP/1.1 200 ") ? 1 : 0;
        return count;
    }
    [[nodiscard]] std::size_t connections() const { return edge.dialer.peers.size(); }
    [[nodiscard]] ScriptedPeer& line(std::size_t nth) { return *edge.dialer.peers.at(nth); }

    struct Asked {
        PlayedOrigin* origin;
        std::int32_t stream;
    };
    std::vector<Asked> asked;
    Edge edge;
    std::vector<std::shared_ptr<ScriptedPeer>> clients;
};

/// PINGs of ours on a connection.
std::size_t pings(const ScriptedPeer& line) {
    const std::string_view bytes = line.written();
    std::size_t count = 0;
    const auto at = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    for (std::size_t frame = 24; frame + 9 <= bytes.size();) {  // behind the preface
        if (at(frame + 3) == 6 && (at(frame + 4) & 1) == 0) ++count;
        frame +=
            9 + (std::size_t{at(frame)} << 16 | std::size_t{at(frame + 1)} << 8 | at(frame + 2));
    }
    return count;
}

}  // namespace

TEST_CASE("requests that come while a connection is being made share it") {
    Site site({}, true);
    site.ask(5);
    CHECK(site.connections() == 1);
    site.line(0).let_connect();
    REQUIRE(site.edge.settle());
    CHECK(site.asked.size() == 5);
    site.answer_all();
    CHECK(site.answered() == 5);
    CHECK(site.connections() == 1);
}

TEST_CASE("as many wait for a connection that is being made as it may carry") {
    Site site({}, true);
    site.ask(limits::http2_streams);
    CHECK(site.connections() == 1);
    site.line(0).let_connect();
    REQUIRE(site.edge.settle());
    CHECK(site.asked.size() == limits::http2_streams);
    site.answer_all();
    CHECK(site.answered() == limits::http2_streams);
    CHECK(site.connections() == 1);
}

TEST_CASE("who waits for a stream sees that another connection may be made") {
    Site site({.streams = 1});
    std::optional<ConnectionToken> elsewhere =
        ConnectionToken::try_acquire(*site.edge.endpoints("app").front());
    REQUIRE(elsewhere);
    site.ask(2);
    CHECK(site.connections() == 1);
    CHECK(site.asked.size() == 1);
    elsewhere->release();
    CHECK(site.edge.pass(2 * limits::pending_look));
    CHECK(site.connections() == 2);
    CHECK(site.asked.size() == 2);
    site.answer_all();
    CHECK(site.answered() == 2);
}

TEST_CASE("when the one who connects leaves, another one of those who wait does it") {
    Site site({}, true);
    site.ask(3);
    site.clients[0]->reset();
    REQUIRE(site.edge.settle());
    CHECK(site.line(0).closed());
    REQUIRE(site.connections() == 2);
    site.line(1).let_connect();
    REQUIRE(site.edge.settle());
    CHECK(site.asked.size() == 2);
    site.answer_all();
    CHECK(site.answered() == 2);
}

TEST_CASE("a full connection has a second one beside it, and then requests wait") {
    Site site({.streams = 2});
    site.ask(5);
    CHECK(site.connections() == 2);
    CHECK(site.asked.size() == 4);
    site.answer_all();
    CHECK(site.answered() == 5);
    CHECK(site.connections() == 2);
}

TEST_CASE("an idle connection ends after upstream_idle, and says so") {
    Site site;
    site.ask(1);
    site.answer_all();
    CHECK(site.edge.metrics.connection_totals().upstream_idle == 1);
    CHECK(site.edge.pass(7s));
    CHECK_FALSE(site.line(0).closed());
    CHECK(site.edge.pass(2s));
    CHECK(site.line(0).closed());
    CHECK(site.edge.metrics.connection_totals().upstream_active == 0);
}

TEST_CASE("a silent origin is asked for a sign of life, and rarely again") {
    Site site;
    site.ask(1);
    const std::size_t before = site.line(0).written().size();
    site.seconds(9);
    CHECK(site.line(0).written().size() == before);
    site.seconds(2);
    CHECK(site.line(0).written().size() == before + ping_frame);
    site.seconds(280);  // it has answered: no more for five minutes
    CHECK(site.line(0).written().size() == before + ping_frame);
    site.seconds(40);
    CHECK(site.line(0).written().size() == before + 2 * ping_frame);
    site.answer_all();
    CHECK(site.answered() == 1);
}

TEST_CASE("an origin that owes a sign of life gets no new streams, and is given up") {
    Site site;
    site.ask(1);
    site.line(0).on_change([](ScriptedPeer&) {});  // it is dead
    site.seconds(11);
    site.ask(1);
    CHECK(site.connections() == 2);
    site.seconds(6);
    CHECK(site.line(0).closed());
    site.asked.erase(site.asked.begin());  // on the dead one
    site.answer_all();
    CHECK(site.answered() == 1);
    CHECK(site.clients[0]->written().starts_with("HTTP/1.1 502 "));  // there is nobody else to ask
}

TEST_CASE("streams that came behind its sign of life do not trust a connection that died then") {
    Site site;
    site.ask(1);
    site.seconds(11);
    REQUIRE(pings(site.line(0)) == 1);             // answered
    site.line(0).on_change([](ScriptedPeer&) {});  // it is dead
    site.ask(1);
    CHECK(site.connections() == 1);
    site.seconds(20);
    CHECK(pings(site.line(0)) == 2);
    CHECK(site.line(0).closed());
    site.ask(1);
    CHECK(site.connections() == 2);
    site.asked.erase(site.asked.begin());
    site.answer_all();
    CHECK(site.clients[2]->written().starts_with("HTTP/1.1 200 "));
}

TEST_CASE("however many streams come in one silence, there are few PINGs") {
    Site site;
    for (int i = 0; i < 12; ++i) {
        site.ask(1);
        site.seconds(12);
    }
    CHECK(site.connections() == 1);
    CHECK(pings(site.line(0)) == limits::http2_pings);
    site.answer_all();
    CHECK(site.answered() == 12);
}

TEST_CASE(
    "a connection without a buffer goes on, and turns down streams whose bodies it cannot keep") {
    Site site({}, true);
    site.ask(2);
    std::vector<BufferLease> all = all_of(site.edge.worker.loop().small_buffers());
    site.line(0).let_connect();
    CHECK(site.edge.settle());
    REQUIRE(site.asked.size() == 2);
    const Site::Asked second = site.asked.back();
    site.asked.pop_back();
    site.answer_all();
    CHECK(site.clients[0]->written().starts_with("HTTP/1.1 503"));
    all.clear();
    site.asked.push_back(second);
    site.answer_all();
    CHECK(site.answered() == 1);
    CHECK(site.connections() == 1);
    CHECK_FALSE(site.line(0).closed());
}

TEST_CASE("endpoints that leave the configuration end their connections after the last stream") {
    Site site;
    site.ask(1);
    site.edge.worker.upstreams().retire_others({});
    REQUIRE(site.edge.settle());
    CHECK_FALSE(site.line(0).closed());
    site.answer_all();
    CHECK(site.answered() == 1);
    CHECK(site.line(0).closed());
}
