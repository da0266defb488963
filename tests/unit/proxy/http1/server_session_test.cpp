// A client connection through a whole worker: order, persistence, deadlines, and the end.
#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/// A client in front of origins that echo the path, or say nothing.
struct Served {
    explicit Served(bool silent = false) {
        edge.dialer.on_connect = [silent](ScriptedPeer& peer) {
            if (silent) return;
            peer.on_change(answering([](ScriptedPeer& to, const ReadMessage& request, std::size_t) {
                const std::string path = request.head.substr(4, request.head.find(" HTTP") - 4);
                to.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) +
                        "\r\n\r\n" + path);
            }));
        };
        client = edge.client();
        REQUIRE(edge.settle());
    }
    ~Served() {
        client->finish();
        for (int seconds = 0; !edge.served() && seconds < 40; ++seconds)
            CHECK(edge.pass(1s));
        CHECK(edge.leftovers() == "");
    }
    void send(const std::string& bytes) {
        client->send(bytes);
        REQUIRE(edge.settle());
    }
    /// What the client got since the last call.
    std::vector<ReadMessage> answers() {
        std::vector<ReadMessage> all;
        while (read < client->written().size()) {
            all.push_back(read_message(std::string_view(client->written()).substr(read)));
            REQUIRE(all.back().complete);
            read += all.back().size;
        }
        return all;
    }

    Edge edge;
    std::shared_ptr<ScriptedPeer> client;
    std::size_t read = 0;
};

}  // namespace

TEST_CASE("pipelined requests are answered in their order, and a FIN behind them ends it") {
    Served s;
    std::string all;
    for (int i = 0; i < 50; ++i)
        all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    s.client->send(all);
    s.client->finish();
    REQUIRE(s.edge.settle());
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 50);
    for (std::size_t i = 0; i < answers.size(); ++i)
        CHECK(answers[i].body == "/" + std::to_string(i));
    CHECK(s.client->closed());
    CHECK(s.edge.events() == 50);
}

TEST_CASE("a hundred pipelined requests do not keep another client waiting") {
    Served s;
    std::string all;
    for (int i = 0; i < 100; ++i)
        all +=
            "GET /n HTTP/1.1\r\nHost: nowhere\r\nVia: 1.1 edge-under-test\r\n\r\n";  // 508, by us
    const auto other = s.edge.client();
    REQUIRE(s.edge.settle());
    std::size_t before = 0;
    other->on_change([&](ScriptedPeer&) {
        if (before == 0) before = s.client->writes();
    });
    s.client->send(all);
    other->send("GET /n HTTP/1.1\r\nHost: a\r\nVia: 1.1 edge-under-test\r\n\r\n");
    REQUIRE(s.edge.settle());
    CHECK(read_message(other->written()).status == 508);
    CHECK(before < 40);
    CHECK(s.answers().size() == 100);
    other->finish();
}

TEST_CASE("a head that does not come to its end gets 408, and the connection ends") {
    Served s;
    s.send("GET / HTTP/1.1\r\nHo");
    for (int i = 0; i < 5; ++i) {
        CHECK(s.client->written().empty());
        REQUIRE(s.edge.pass(500ms));
        s.send("s");  // trickling does not help
    }
    REQUIRE(s.edge.pass(600ms));
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].status == 408);
    CHECK(answers[0].field("Connection") == "close");
    CHECK(s.edge.events() == 1);
}

TEST_CASE("a body that does not come gets 408") {
    Served s;
    s.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    REQUIRE(s.edge.pass(2900ms));
    CHECK(s.client->written().empty());
    REQUIRE(s.edge.pass(200ms));
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].status == 408);
    CHECK(answers[0].body.find("client_body_timeout") != std::string::npos);
    CHECK(s.edge.dialer.peers.at(0)->closed());
}

TEST_CASE("an idle connection gives its buffer back, and ends in its time without a word") {
    Served s;
    s.send(get);
    CHECK(s.answers().size() == 1);
    REQUIRE(s.edge.pass(1100ms));
    CHECK(s.client->waits_readable());
    CHECK(s.edge.metrics.connection_totals().client_idle == 1);
    s.edge.worker.upstreams().close_idle();
    REQUIRE(s.edge.settle());
    CHECK(s.edge.worker.loop().small_buffers().leased() == 0);
    s.send(get);
    CHECK(s.answers().size() == 1);
    REQUIRE(s.edge.pass(5s));
    CHECK_FALSE(s.client->closed());
    REQUIRE(s.edge.pass(2s));  // 6 s in all, rounded up to a whole second
    CHECK(s.client->closed());
    CHECK(s.answers().empty());
    CHECK(s.edge.events() == 2);
}

TEST_CASE("an origin that says nothing gets its time, and the client 504") {
    Served s(true);
    s.send(get);
    REQUIRE(s.edge.pass(2900ms));
    CHECK(s.client->written().empty());
    REQUIRE(s.edge.pass(200ms));
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].status == 504);
    CHECK(s.edge.endpoints("app")[0]->state->failures +
              s.edge.endpoints("app")[1]->state->failures ==
          1);
    s.send(get);  // the connection is still good
    REQUIRE(s.edge.pass(3100ms));
    CHECK(s.answers().size() == 1);
}

TEST_CASE("a client that resets has its work called off at the origin at once") {
    Served s(true);
    s.send(get);
    REQUIRE(s.edge.dialer.peers.size() == 1);
    CHECK_FALSE(s.edge.dialer.peers[0]->closed());
    s.client->reset();
    REQUIRE(s.edge.settle());
    CHECK(s.edge.dialer.peers[0]->closed());
    CHECK(s.edge.served());
    CHECK(s.edge.events() == 1);
}

TEST_CASE("a client that half-closes behind its request gets its answer") {
    Served s;
    s.client->send(get);
    s.client->finish();
    REQUIRE(s.edge.settle());
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].status == 200);
    CHECK(s.client->closed());
}

TEST_CASE("when the worker drains, the answer under way says close, and idle connections end") {
    Served s(true);
    const auto idle = s.edge.client();
    const auto parked = s.edge.client();
    REQUIRE(s.edge.pass(1100ms));
    REQUIRE(parked->waits_readable());
    s.send(get);
    bool drained = false;
    s.edge.worker.drain([&] { drained = true; });
    REQUIRE(s.edge.settle());
    CHECK(parked->closed());
    CHECK_FALSE(drained);
    s.edge.dialer.peers.at(0)->send(ok_ten + ten);
    REQUIRE(s.edge.settle());
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].field("Connection") == "close");
    s.client->finish();
    REQUIRE(s.edge.pass(1100ms));
    CHECK(idle->closed());
    CHECK(drained);
}

TEST_CASE("a request that comes while its idle connection drains is still served") {
    Served s;
    s.edge.worker.drain([] {});
    REQUIRE(s.edge.settle());
    s.send(get);
    const std::vector<ReadMessage> answers = s.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].status == 200);
    CHECK(answers[0].field("Connection") == "close");
}

TEST_CASE(
    "after an answer the client may not read in time, what it still sends is read for a while") {
    Served s;
    s.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(s.client->saw_end());
    CHECK_FALSE(s.client->closed());
    s.send(std::string(10'000, 'x'));
    CHECK_FALSE(s.client->closed());
    REQUIRE(s.edge.pass(2100ms));
    CHECK(s.client->closed());
    CHECK(s.edge.events() == 1);
}
