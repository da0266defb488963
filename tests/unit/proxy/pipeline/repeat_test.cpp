// What is asked again elsewhere: answers of failover.retry_on, bodies that were kept; the budget.
#include "proxy/pipeline/repeat.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string put = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";

std::string unavailable(int number) {
    const std::string body = "no " + std::to_string(number);
    return "HTTP/1.1 503 Busy\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

/// Origins that answer as `answer(nth connection)` says; nothing: they hang up.
struct Asked {
    Asked(const std::string& request, std::function<std::string(int)> answer) {
        edge.dialer.on_connect = [this, answer](ScriptedPeer& peer) {
            const int nth = static_cast<int>(edge.dialer.peers.size());
            peer.on_change(
                answering([answer, nth](ScriptedPeer& to, const ReadMessage&, std::size_t) {
                    const std::string bytes = answer(nth);
                    bytes.empty() ? to.finish() : to.send(bytes);
                }));
        };
        client = edge.client();
        client->send(request);
        CHECK(edge.settle());
    }
    void end() {
        client->finish();
        CHECK(edge.settle());
        CHECK(edge.events() == 1);
        CHECK(edge.leftovers() == "");
        CHECK(edge.worker.replay_memory().used == 0);
    }
    [[nodiscard]] ReadMessage read() const { return read_message(client->written()); }
    [[nodiscard]] std::size_t attempts() const { return edge.dialer.peers.size(); }
    [[nodiscard]] std::string upload(std::size_t i) const {
        return read_message(edge.dialer.peers[i]->written()).body;
    }

    Edge edge;
    std::shared_ptr<ScriptedPeer> client;
};

std::string busy_then_well(int nth) {
    return nth == 1 ? unavailable(1) : ok_ten + ten;
}

}  // namespace

TEST_CASE("a 503 is asked for again elsewhere, and the better answer passed on") {
    Asked asked(get, busy_then_well);
    CHECK(asked.attempts() == 2);
    CHECK(asked.read().status == 200);
    CHECK(asked.edge.state_of_origin(0).server_errors == 1);
    asked.end();
}

TEST_CASE("if nobody does better, the original answer is passed on") {
    Asked asked(get, unavailable);
    CHECK(asked.attempts() == 2);
    CHECK(asked.read().status == 503);
    CHECK(asked.read().body == "no 1");
    asked.end();
    Asked broken(get, [](int nth) { return nth == 1 ? unavailable(1) : std::string(); });
    CHECK(broken.attempts() == 2);
    CHECK(broken.read().body == "no 1");
    broken.end();
}

TEST_CASE("a 500 is passed on, and so is any answer to what may not be repeated") {
    Asked error(get, [](int) { return "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"; });
    CHECK(error.attempts() == 1);
    CHECK(error.read().status == 500);
    error.end();
    Asked post("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", unavailable);
    CHECK(post.attempts() == 1);
    CHECK(post.read().status == 503);
    post.end();
}

TEST_CASE("a body that was kept is sent again, after a 503 and after a lost connection") {
    Asked asked(put, busy_then_well);
    CHECK(asked.attempts() == 2);
    CHECK(asked.read().status == 200);
    CHECK(asked.upload(0) == ten);
    CHECK(asked.upload(1) == ten);
    asked.end();
    Asked lost(put, [](int nth) { return nth == 1 ? std::string() : ok_ten + ten; });
    CHECK(lost.attempts() == 2);
    CHECK(lost.read().status == 200);
    CHECK(lost.upload(1) == ten);
    lost.end();
}

TEST_CASE("a body that is longer than failover.replay goes once") {
    const std::string body(limits::replay + 1, 'x');
    const std::string head = "PUT /a HTTP/1.1\r\nHost: a\r\n";
    Asked known(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
                busy_then_well);
    CHECK(known.attempts() == 1);
    CHECK(known.read().status == 503);
    known.end();
    Asked chunked(head + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + body + "\r\n0\r\n\r\n",
                  busy_then_well);
    CHECK(chunked.attempts() == 1);
    CHECK(chunked.read().status == 503);
    chunked.end();
}

TEST_CASE("a half of a body that has come is sent again, and the rest behind it") {
    Edge edge;
    const auto client = edge.client();
    client->send(put.substr(0, put.size() - 5));
    REQUIRE(edge.settle());
    REQUIRE(edge.dialer.peers.size() == 1);
    edge.dialer.peers[0]->reset();
    REQUIRE(edge.settle());
    REQUIRE(edge.dialer.peers.size() == 2);
    edge.dialer.peers[1]->on_change(answer_ten());
    client->send(put.substr(put.size() - 5));
    REQUIRE(edge.settle());
    CHECK(read_message(edge.dialer.peers[1]->written()).body == ten);
    CHECK(read_message(client->written()).status == 200);
    client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("when the budget is used up, answers and errors are passed on") {
    Edge edge;
    RetryBudget& budget = *edge.snapshot->routes[0].budget;
    edge.dialer.on_connect = [](ScriptedPeer& peer) {
        peer.on_change(answering(
            [](ScriptedPeer& to, const ReadMessage&, std::size_t) { to.send(unavailable(1)); }));
    };
    while (budget.take(edge.clock.now())) {
    }
    const auto client = edge.client();
    client->send(get);
    REQUIRE(edge.settle());
    CHECK(edge.dialer.peers.size() == 1);
    CHECK(read_message(client->written()).status == 503);
    client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("a repeated upload leaves nothing behind, whichever operation fails") {
    run_all({.name = "replay",
             .requests = {{put}},
             .origin =
                 [] {
                     return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
                         peer.address().ip() == "192.0.2.1" ? peer.send(unavailable(1))
                                                            : peer.send(ok_ten + ten);
                     });
                 },
             .upload = ten});
}

TEST_CASE("a 503 that comes before the body is all there is passed on") {
    Edge edge;
    const auto client = edge.client();
    client->send(put.substr(0, put.size() - 5));
    REQUIRE(edge.settle());
    REQUIRE(edge.dialer.peers.size() == 1);
    edge.dialer.peers[0]->send(unavailable(1));
    REQUIRE(edge.settle());
    CHECK(edge.dialer.peers.size() == 1);
    CHECK(read_message(client->written()).status == 503);
    client->send(put.substr(put.size() - 5));
    client->finish();
    REQUIRE(edge.settle());
    for (int i = 0; i < 5; ++i)
        REQUIRE(edge.pass(1s));
    CHECK(edge.served());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("the client's pace is not the endpoint's latency") {
    Edge edge;
    const auto client = edge.client();
    client->send(put.substr(0, put.size() - 5));
    REQUIRE(edge.settle());
    REQUIRE(edge.dialer.peers.size() == 1);
    edge.dialer.peers[0]->on_change(answer_ten());
    REQUIRE(edge.pass(2s));
    client->send(put.substr(put.size() - 5));
    REQUIRE(edge.settle());
    CHECK(read_message(client->written()).status == 200);
    CHECK(edge.state_of_origin(0).latency.value(edge.clock.now()) < 1000);
    client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}
