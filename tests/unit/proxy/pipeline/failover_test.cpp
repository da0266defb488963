// Which endpoint is tried next, what may be repeated, and waiting for room in full pools.
#include "proxy/pipeline/failover.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

std::string with_pools(const std::string& pools, const std::string& route) {
    return R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
self: { node: edge-under-test }
timeouts: { upstream_response: 3s }
pools: { )" +
           pools + R"( }
routes: [ { name: all, )" +
           route + " } ]\n";
}

const std::string four = R"(app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80",
                                                "192.0.2.4:80" ] })";
const std::string one_at_a_time =
    R"(app: { endpoints: [ "192.0.2.1:80" ], limits: { connections: 1, pending: 1 } })";

void refuse(ScriptedPeer& peer) {
    peer.connect_result({ECONNREFUSED, boost::system::system_category()});
}
/// Takes a request and closes without a word.
void hang_up(ScriptedPeer& peer) {
    peer.on_change(
        answering([](ScriptedPeer& to, const ReadMessage&, std::size_t) { to.finish(); }));
}

int status_of(const ScriptedPeer& client) {
    return read_message(client.written()).status;
}

/// The status that one request gets from such origins; and how many of them were connected to.
std::pair<int, std::size_t> ask(const std::string& request, const std::string& yaml,
                                void (*origin)(ScriptedPeer&)) {
    Edge edge(yaml);
    edge.dialer.on_connect = origin;
    const auto client = edge.client();
    client->send(request);
    client->finish();
    CHECK(edge.settle());
    CHECK(edge.served());
    CHECK(edge.events() == 1);
    CHECK(edge.leftovers() == "");
    return {status_of(*client), edge.dialer.peers.size()};
}

}  // namespace

TEST_CASE("endpoints that refuse are all tried, each once, whatever the method") {
    const std::string yaml = with_pools(four, "pools: [ app ]");
    CHECK(ask(get, yaml, refuse) == std::pair<int, std::size_t>{502, 4});
    const std::string post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    CHECK(ask(post, yaml, refuse) == std::pair<int, std::size_t>{502, 4});
}

TEST_CASE("what was sent is repeated if that is safe, max_attempts times in all") {
    const std::string yaml = with_pools(four, "pools: [ app ]");
    CHECK(ask(get, yaml, hang_up) == std::pair<int, std::size_t>{502, 3});
    const std::string two = with_pools(four, "pools: [ app ], failover: { max_attempts: 2 }");
    CHECK(ask(get, two, hang_up) == std::pair<int, std::size_t>{502, 2});
    const std::string post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    CHECK(ask(post, yaml, hang_up) == std::pair<int, std::size_t>{502, 1});
    const std::string bare = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    CHECK(ask(bare, yaml, hang_up) == std::pair<int, std::size_t>{502, 1});
}

TEST_CASE("the next priority is used when all of the first are gone") {
    const std::string yaml = with_pools(
        R"(near: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80" ] },
           far: { endpoints: [ "192.0.2.9:80" ] })",
        "pools: [ near, { name: far, priority: 1 } ]");
    const auto only_far = [](ScriptedPeer& peer) {
        peer.address().ip() == "192.0.2.9" ? peer.on_change(answer_ten()) : refuse(peer);
    };
    CHECK(ask(get, yaml, only_far) == std::pair<int, std::size_t>{200, 3});
}

TEST_CASE("a request waits for room in a full pool and is served when there is some") {
    Edge edge(with_pools(one_at_a_time, "pools: [ app ]"));
    const auto first = edge.client(), second = edge.client(), third = edge.client();
    first->send(get);
    REQUIRE(edge.settle());
    second->send(get);
    REQUIRE(edge.settle());
    CHECK(second->written().empty());
    CHECK(edge.endpoints("app")[0]->pool_state->pending == 1);
    third->send(get);  // the queue is full
    REQUIRE(edge.settle());
    CHECK(status_of(*third) == 503);
    REQUIRE(edge.dialer.peers.size() == 1);
    edge.dialer.peers[0]->on_change(answer_ten());
    edge.dialer.peers[0]->send(ok_ten + ten);
    REQUIRE(edge.settle());
    CHECK(status_of(*first) == 200);
    CHECK(status_of(*second) == 200);
    CHECK(edge.dialer.peers.size() == 1);  // over the same connection
    for (const auto& client : {first, second, third})
        client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
    CHECK(edge.events() == 3);
}

TEST_CASE("an endpoint that is full is passed over, and who finds all of them full waits") {
    Edge edge(with_pools(R"(app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80" ],
                                   limits: { endpoint: { in_flight: 1 } } })",
                         "pools: [ app ]"));
    const auto first = edge.client(), second = edge.client(), third = edge.client();
    for (const auto& client : {first, second, third}) {
        client->send(get);
        REQUIRE(edge.settle());
    }
    REQUIRE(edge.dialer.peers.size() == 2);
    CHECK(edge.dialer.peers[0]->address() != edge.dialer.peers[1]->address());
    CHECK(third->written().empty());
    CHECK(edge.endpoints("app")[0]->pool_state->pending == 1);
    edge.dialer.peers[1]->on_change(answer_ten());
    edge.dialer.peers[1]->send(ok_ten + ten);
    REQUIRE(edge.settle());
    CHECK(status_of(*second) == 200);
    CHECK(status_of(*third) == 200);
    for (const auto& client : {first, second, third})
        client->reset();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("a connection to another endpoint of a full pool gives its place if it idles") {
    Edge edge(with_pools(R"(app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80" ],
                                   limits: { connections: 1 } })",
                         "pools: [ app ], balance: round_robin"));
    edge.dialer.on_connect = [](ScriptedPeer& peer) { peer.on_change(answer_ten()); };
    const auto client = edge.client();
    for (int i = 0; i < 4; ++i) {
        client->send(get);
        REQUIRE(edge.settle());
        CHECK(edge.endpoints("app")[0]->pool_state->connections == 1);
    }
    REQUIRE(edge.dialer.peers.size() == 4);
    CHECK(edge.dialer.peers[0]->address() != edge.dialer.peers[1]->address());
    client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.events() == 4);
    CHECK(edge.leftovers() == "");
}

TEST_CASE("what a pool frees goes to who waits for that pool, however long others have waited") {
    Edge edge(R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
pools: { a: { endpoints: [ "192.0.2.1:80" ], limits: { in_flight: 1 } },
         b: { endpoints: [ "192.0.2.2:80" ], limits: { in_flight: 1 } } }
routes: [ { name: one, match: { path_prefix: /a }, pools: [ a ] }, { name: two, pools: [ b ] } ]
)");
    const std::string other = "GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
    std::vector<std::shared_ptr<ScriptedPeer>> clients;
    for (const std::string& request : {get, other, get, other}) {
        clients.push_back(edge.client());
        clients.back()->send(request);
        REQUIRE(edge.settle());
    }
    REQUIRE(edge.dialer.peers.size() == 2);
    edge.dialer.peers[1]->on_change(answer_ten());
    edge.dialer.peers[1]->send(ok_ten + ten);
    REQUIRE(edge.settle());
    CHECK(clients[2]->written().empty());
    CHECK(status_of(*clients[3]) == 200);
    for (const auto& client : clients)
        client->reset();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("exact shares count a request once, however often it looks for room") {
    for (const int looks : {2, 3}) {
        Edge edge(with_pools(R"(a: { endpoints: [ "192.0.2.1:80" ], limits: { in_flight: 1 } },
                                b: { endpoints: [ "192.0.2.2:80" ], limits: { in_flight: 1 } })",
                             "pools: [ { name: a, split: 50% }, { name: b, split: 50% } ]"));
        const auto first = edge.client(), second = edge.client(), third = edge.client();
        for (const auto& client : {first, second, third}) {
            client->send(get);
            REQUIRE(edge.settle());
        }
        REQUIRE(edge.dialer.peers.size() == 2);
        for (int i = 0; i < looks; ++i)
            REQUIRE(edge.pass(limits::pending_look + 1ms));
        third->reset();
        REQUIRE(edge.settle());
        for (const auto& peer : edge.dialer.peers) {
            peer->send(ok_ten + ten);
            peer->on_change(answer_ten());
        }
        REQUIRE(edge.settle());
        // The third would have been a's.
        first->send(get);
        REQUIRE(edge.settle());
        CHECK(edge.state_of_origin(1).requests == 2);
        first->reset();
        second->reset();
        REQUIRE(edge.settle());
        CHECK(edge.leftovers() == "");
    }
}

TEST_CASE("who waits for room in vain gets 503 after a second, and who leaves leaves its place") {
    Edge edge(with_pools(one_at_a_time, "pools: [ app ]"));
    const auto first = edge.client(), second = edge.client();
    first->send(get);
    REQUIRE(edge.settle());
    second->send(get);
    REQUIRE(edge.settle());
    for (int i = 0; i < 9; ++i)
        REQUIRE(edge.pass(100ms));
    CHECK(second->written().empty());
    REQUIRE(edge.pass(110ms));
    CHECK(status_of(*second) == 503);
    const auto third = edge.client();
    third->send(get);
    REQUIRE(edge.settle());
    CHECK(edge.endpoints("app")[0]->pool_state->pending == 1);
    third->reset();
    REQUIRE(edge.settle());
    CHECK(edge.endpoints("app")[0]->pool_state->pending == 0);
    first->reset();
    second->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
    CHECK(edge.events() == 3);
}

TEST_CASE("refusals of one request are bounded, however many endpoints there are") {
    std::string many;
    for (int i = 1; i <= 100; ++i)
        many += (many.empty() ? "\"192.0.2." : ", \"192.0.2.") + std::to_string(i) + ":80\"";
    const std::string yaml = with_pools("app: { endpoints: [ " + many + " ] }", "pools: [ app ]");
    CHECK(ask(get, yaml, refuse) == std::pair<int, std::size_t>{502, limits::turned_away_most});
}

TEST_CASE("a full pool leaves its requests to the next, and is not searched") {
    Edge edge(with_pools(R"(app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80" ],
                                   limits: { in_flight: 1 } },
                            far: { endpoints: [ "192.0.2.9:80" ] })",
                         "pools: [ app, { name: far, priority: 1 } ]"));
    const auto first = edge.client(), second = edge.client();
    first->send(get);
    REQUIRE(edge.settle());
    second->send(get);
    REQUIRE(edge.settle());
    REQUIRE(edge.dialer.peers.size() == 2);
    CHECK(edge.dialer.peers[1]->address().ip() == "192.0.2.9");
    first->reset();
    second->reset();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}

TEST_CASE("after two attempts in one pool the next goes to another") {
    Edge edge(with_pools(R"(app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80",
                                                "192.0.2.4:80" ] },
                            far: { endpoints: [ "192.0.2.9:80" ] })",
                         "pools: [ app, { name: far, priority: 1 } ]"));
    edge.dialer.on_connect = [](ScriptedPeer& peer) {
        peer.address().ip() == "192.0.2.9" ? peer.on_change(answer_ten()) : hang_up(peer);
    };
    const auto client = edge.client();
    client->send(get);
    REQUIRE(edge.settle());
    CHECK(edge.dialer.peers.size() == 3);
    CHECK(status_of(*client) == 200);
    client->finish();
    REQUIRE(edge.settle());
    CHECK(edge.leftovers() == "");
}
