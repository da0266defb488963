// Calls of gRPC in which nobody says anything for long: what becomes of them, and of their client's
// connection.
#include "core/limits.hpp"
#include "tests/unit/proxy/http2/visit.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

const char* const patient = R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
self: { node: edge-under-test }
timeouts: { client_header: 3s, client_idle: 6s, client_body: 3s, client_write: 3s,
            upstream_response: none, upstream_body: none, tunnel_idle: 400s }
pools:
  app: { endpoints: [ "192.0.2.1:80" ] }
routes:
  - { name: all, pools: [ app ], failover: { hedge: off } }
)";

/// An origin that reads and says nothing, and one client.
struct Silence : Visit {
    Silence() : Visit(patient) {
        edge.dialer.on_connect = [](ScriptedPeer&) {};
    }
    /// A second goes by at a time; the client `hears` and answers, or does not.
    void seconds(int count, bool hears) {
        for (int i = 0; i < count; ++i) {
            CHECK(edge.pass(1s));
            if (hears) talk();
        }
    }
};

RequestHead call() {
    RequestHead head = request_with("POST", "hello");
    head.fields.add(Field::content_type, "application/grpc");
    return head;
}

constexpr int asked_and_waited = 3 + 20 + 2;  // seconds: client_body, the wait, rounding

}  // namespace

TEST_CASE("a client that answers PINGs may have a silent call, until both were silent too long") {
    Silence site;
    const RecordedStream& stream = site.ask(call(), "hello");
    site.seconds(395, true);
    CHECK(stream.heads.empty());
    CHECK_FALSE(stream.error);
    site.seconds(110, true);
    REQUIRE(stream.heads.size() == 1);
    CHECK(stream.heads[0].find(" grpc-status=4 ") != std::string::npos);
    CHECK(stream.heads[0].find("request_timeout") != std::string::npos);
    CHECK_FALSE(site.peer->closed());
}

TEST_CASE("a client that does not answer is given up, and its call called off") {
    Silence site;
    site.ask(call(), "hello");
    const std::size_t before = site.peer->written().size();
    site.seconds(4, false);
    CHECK(site.peer->written().size() == before + 17);  // a PING, RFC 9113 section 6.7
    CHECK_FALSE(site.peer->closed());
    site.seconds(asked_and_waited - 4, false);
    CHECK(site.peer->closed());
    CHECK(site.edge.events() == 1);
    CHECK(site.edge.dialer.peers.at(0)->closed());
}

TEST_CASE("a client that makes no calls is not asked") {
    Silence site;
    site.ask(request());
    const std::size_t before = site.peer->written().size();
    site.seconds(2 * asked_and_waited, false);
    CHECK(site.peer->written().size() == before);
    CHECK_FALSE(site.peer->closed());
}
