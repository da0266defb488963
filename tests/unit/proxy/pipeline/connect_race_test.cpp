// Connects that take long are raced by one elsewhere, and no byte of a request goes twice.
#include "proxy/pipeline/connect_race.hpp"

#include <functional>

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";

/// `count` connects to each endpoint have succeeded in `took`.
std::function<void(Edge&)> learned(int count, Duration took) {
    return [count, took](Edge& edge) {
        for (const auto& [pool, set] : edge.sets) {
            for (const auto& endpoint : *set) {
                for (int i = 0; i < count; ++i)
                    endpoint->state->connects.record(took);
            }
        }
    };
}

/// Two endpoints; the first connects when it is told to, the second as `second` says.
struct Slow {
    explicit Slow(void (*second)(ScriptedPeer&), const std::function<void(Edge&)>& past = {}) {
        if (past) past(edge);
        edge.dialer.on_connect = [this, second](ScriptedPeer& peer) {
            peer.on_change(answer_ten());
            edge.dialer.peers.size() == 1 ? peer.hold_connect() : second(peer);
        };
        client = edge.client();
        client->send(post);
        CHECK(edge.settle());
        REQUIRE(edge.dialer.peers.size() == 1);
    }
    void end() {
        client->finish();
        CHECK(edge.settle());
        CHECK(edge.events() == 1);
        CHECK(edge.leftovers() == "");
    }
    [[nodiscard]] int status() const { return read_message(client->written()).status; }
    [[nodiscard]] const ScriptedPeer& origin(std::size_t i) const { return *edge.dialer.peers[i]; }

    Edge edge;
    std::shared_ptr<ScriptedPeer> client;
};

void connects(ScriptedPeer&) {}
void hangs(ScriptedPeer& peer) {
    peer.hold_connect();
}
void refuses(ScriptedPeer& peer) {
    peer.connect_result({ECONNREFUSED, boost::system::system_category()});
}

}  // namespace

TEST_CASE("a connect that takes longer than the race is overtaken, for any method") {
    Slow slow(connects);
    REQUIRE(slow.edge.pass(40ms));
    CHECK(slow.edge.dialer.peers.size() == 1);
    REQUIRE(slow.edge.pass(15ms));
    REQUIRE(slow.edge.dialer.peers.size() == 2);
    CHECK(slow.status() == 200);
    CHECK(slow.origin(0).written().empty());
    CHECK(slow.origin(0).closed());
    CHECK(slow.edge.state_of_origin(0).failures == 0);
    CHECK(slow.edge.state_of_origin(0).unanswered_run == 1);  // told to health
    slow.end();
}

TEST_CASE("what is near is raced earlier than configured, but not within 10 ms") {
    Slow slow(connects, learned(20, 2ms));
    REQUIRE(slow.edge.pass(8ms));
    CHECK(slow.edge.dialer.peers.size() == 1);
    REQUIRE(slow.edge.pass(4ms));
    CHECK(slow.edge.dialer.peers.size() == 2);
    CHECK(slow.status() == 200);
    slow.end();
}

TEST_CASE("what is far is raced when it takes longer than its connects do") {
    Slow slow(connects, learned(20, 200ms));
    REQUIRE(slow.edge.pass(195ms));
    CHECK(slow.edge.dialer.peers.size() == 1);
    REQUIRE(slow.edge.pass(35ms));  // within a step of the histogram
    CHECK(slow.edge.dialer.peers.size() == 2);
    slow.end();
}

TEST_CASE("however long connects took, the race begins after half of the time for connecting") {
    Slow slow(connects, learned(20, 900ms));
    REQUIRE(slow.edge.pass(490ms));
    CHECK(slow.edge.dialer.peers.size() == 1);
    REQUIRE(slow.edge.pass(15ms));
    CHECK(slow.edge.dialer.peers.size() == 2);
    slow.end();
}

TEST_CASE("a few connects are worth four times the longest of them") {
    Slow slow(connects, learned(3, 5ms));
    REQUIRE(slow.edge.pass(18ms));
    CHECK(slow.edge.dialer.peers.size() == 1);
    REQUIRE(slow.edge.pass(7ms));
    CHECK(slow.edge.dialer.peers.size() == 2);
    slow.end();
    Slow far(connects, learned(3, 20ms));  // no more than what is configured
    REQUIRE(far.edge.pass(48ms));
    CHECK(far.edge.dialer.peers.size() == 1);
    REQUIRE(far.edge.pass(7ms));
    CHECK(far.edge.dialer.peers.size() == 2);
    far.end();
}

TEST_CASE("without a connect that has succeeded the configured time holds") {
    Slow slow(connects);
    REQUIRE(slow.edge.pass(40ms));
    CHECK(slow.edge.dialer.peers.size() == 1);
    REQUIRE(slow.edge.pass(15ms));
    CHECK(slow.edge.dialer.peers.size() == 2);
    slow.end();
}

TEST_CASE("an endpoint that has gone silent is raced as soon as a few connects allow") {
    const auto gone_silent = [](Duration took) {
        return [took](Edge& edge) {
            learned(3, took)(edge);
            for (const auto& [pool, set] : edge.sets) {
                for (const auto& endpoint : *set)
                    endpoint->state->unanswered_run = 1;
            }
        };
    };
    Slow near(connects, gone_silent(1ms));
    REQUIRE(near.edge.pass(8ms));
    CHECK(near.edge.dialer.peers.size() == 1);
    REQUIRE(near.edge.pass(4ms));
    CHECK(near.edge.dialer.peers.size() == 2);
    CHECK(near.edge.state_of_origin(0).unanswered_run == 2);
    near.end();
    Slow far(connects, gone_silent(20ms));  // each of its connects takes that long
    REQUIRE(far.edge.pass(35ms));
    CHECK(far.edge.dialer.peers.size() == 1);
    REQUIRE(far.edge.pass(15ms));
    CHECK(far.edge.dialer.peers.size() == 2);
    far.end();
}

TEST_CASE("a connect that succeeds is learned from, one that is overtaken is not") {
    Slow slow(connects);
    REQUIRE(slow.edge.pass(55ms));
    CHECK(slow.edge.state_of_origin(0).connects.count() == 0);
    CHECK(slow.edge.state_of_origin(1).connects.count() == 1);
    slow.end();
    Slow won(hangs);
    REQUIRE(won.edge.pass(30ms));
    won.edge.dialer.peers[0]->let_connect();
    REQUIRE(won.edge.settle());
    CHECK(won.edge.state_of_origin(0).connects.count() == 1);
    CHECK(won.edge.state_of_origin(0).connects.quantile(0.99) >= 30ms);
    CHECK(won.edge.state_of_origin(0).connects.quantile(0.99) <= 34ms);
    won.end();
}

TEST_CASE("connect_race: off stays off, whatever is known") {
    Edge edge(R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
pools: { app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80" ] } }
routes: [ { name: all, pools: [ app ], failover: { connect_race: off } } ]
)");
    learned(20, 2ms)(edge);
    edge.dialer.on_connect = hangs;
    const auto client = edge.client();
    client->send(post);
    REQUIRE(edge.settle());
    REQUIRE(edge.pass(500ms));
    CHECK(edge.dialer.peers.size() == 1);
    client->finish();
    edge.dialer.peers[0]->on_change(answer_ten());
    edge.dialer.peers[0]->let_connect();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("the first connect may still win the race") {
    Slow slow(hangs);
    REQUIRE(slow.edge.pass(55ms));
    REQUIRE(slow.edge.dialer.peers.size() == 2);
    slow.edge.dialer.peers[0]->let_connect();
    REQUIRE(slow.edge.settle());
    CHECK(slow.status() == 200);
    CHECK(slow.origin(1).written().empty());
    CHECK(slow.origin(1).closed());
    slow.end();
}

TEST_CASE("both connected at once: one of them gets the request") {
    Slow slow(hangs);
    REQUIRE(slow.edge.pass(55ms));
    slow.edge.dialer.peers[0]->let_connect();
    slow.edge.dialer.peers[1]->let_connect();
    REQUIRE(slow.edge.settle());
    CHECK(slow.status() == 200);
    CHECK(slow.origin(0).written().empty() != slow.origin(1).written().empty());
    slow.end();
}

TEST_CASE("a second connect that fails leaves the first one its time") {
    Slow slow(refuses);
    REQUIRE(slow.edge.pass(55ms));
    REQUIRE(slow.edge.dialer.peers.size() == 2);
    CHECK(slow.edge.state_of_origin(1).refused == 1);
    REQUIRE(slow.edge.pass(500ms));
    CHECK(slow.client->written().empty());
    slow.edge.dialer.peers[0]->let_connect();
    REQUIRE(slow.edge.settle());
    CHECK(slow.status() == 200);
    slow.end();
}

TEST_CASE("when neither connects in time, the answer is 504 and both have failed") {
    Slow slow(hangs);
    for (int i = 0; i < 25; ++i)
        REQUIRE(slow.edge.pass(50ms));
    CHECK(slow.status() == 504);
    CHECK(slow.edge.state_of_origin(0).failures == 1);
    CHECK(slow.edge.state_of_origin(1).failures == 1);
    slow.end();
}

TEST_CASE("the race is run in another pool, because a cloud is lost as a whole") {
    Edge edge(R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
pools:
  near: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80" ] }
  far: { endpoints: [ "192.0.2.9:80" ] }
routes: [ { name: all, pools: [ near, { name: far, priority: 1 } ] } ]
)");
    edge.dialer.on_connect = [](ScriptedPeer& peer) {
        if (peer.address().ip() != "192.0.2.9") peer.hold_connect();
        peer.on_change(answer_ten());
    };
    const auto client = edge.client();
    client->send(post);
    REQUIRE(edge.settle());
    REQUIRE(edge.pass(55ms));
    CHECK(edge.dialer.peers.size() == 2);
    CHECK(read_message(client->written()).status == 200);
    client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("a raced connect leaves nothing behind, whichever operation fails") {
    run_all({.name = "race",
             .requests = {{post}},
             .origin = answer_ten,
             .upload = "hi",
             .connected =
                 [](ScriptedPeer& peer) {
                     if (peer.address().ip() == "192.0.2.1") peer.hold_connect();
                 },
             .once = true,
             .seconds = 1});
}
