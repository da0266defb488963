// Probes over HTTP/2: a GET, and grpc.health.v1, against a scripted server.
#include <doctest/doctest.h>

#include "health/plans.hpp"
#include "tests/support/http2_peer.hpp"
#include "tests/unit/health/probe_lab.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::string_literals;

namespace {

/// What a server says to each request.
struct Answer {
    Http2Fields head{{":status", "200"}};
    std::string body;
    Http2Fields trailers;
    std::int64_t reset = -1;  ///< this instead
};

/// The server of one connection.
struct Server {
    Http2Peer http2;
    Answer answer;
    std::int32_t answered = 0;

    void play(ScriptedPeer& peer) {
        if (peer.closed()) return;
        http2.take(std::string_view(peer.written()).substr(peer.step));
        peer.step = peer.written().size();
        for (auto& [stream, request] : http2.requests) {
            if (!request.ended || stream <= answered) continue;
            answered = stream;
            if (answer.reset >= 0) {
                http2.reset(stream, static_cast<std::uint32_t>(answer.reset));
            } else if (answer.body.empty() && answer.trailers.empty()) {
                http2.head(stream, answer.head, true);
            } else {
                http2.respond(stream, answer.head, answer.body, answer.trailers);
            }
        }
        std::string said = http2.give();
        if (!said.empty()) peer.send(std::move(said));
    }
};

/// Each connection has a server, which gives `answer`.
void serve(Lab& lab, Answer answer, std::vector<std::shared_ptr<Server>>& servers) {
    lab.script = [answer, &servers](ScriptedPeer& peer) {
        auto server = std::make_shared<Server>();
        server->answer = answer;
        servers.push_back(server);
        peer.on_change([server](ScriptedPeer& p) { server->play(p); });
    };
}

ProbePlan plan_over_http2() {
    ProbePlan plan = plan_of(ProbePlan::Kind::http);
    plan.http2 = true;
    return plan;
}

const ProbePlan check = plan_of(ProbePlan::Kind::grpc);
const Http2Fields grpc_head{{":status", "200"}, {"content-type", "application/grpc"}};

/// Why the check of a server with this answer fails; "passed" if it does not.
std::string verdict(const ProbePlan& plan, const Answer& answer) {
    std::vector<std::shared_ptr<Server>> servers;
    Lab lab;
    serve(lab, answer, servers);
    const ProbeResult result = lab.probe(plan);
    CHECK(lab.dialer.peers[0]->closed());
    return result.passed ? "passed" : result.why;
}

std::string serving(char value) {
    return "\0\0\0\0\2\x08"s + value;
}

}  // namespace

TEST_CASE("a GET over HTTP/2: status and body decide, and each has a connection of its own") {
    std::vector<std::shared_ptr<Server>> servers;
    Lab lab;
    serve(lab, {.head = {{":status", "200"}}, .body = "all well", .trailers = {}}, servers);
    ProbePlan plan = plan_over_http2();
    CHECK(lab.probe(plan).passed);
    plan.body = "well";
    CHECK(lab.probe(plan).passed);
    plan.body = "down";
    CHECK(lab.probe(plan).why == "its body lacks \"down\"");
    plan.expect = {{204, 204}};
    CHECK(lab.probe(plan).why == "status 200");
    REQUIRE(servers.size() == 4);
    const Http2Peer::Request& request = servers[0]->http2.requests.at(1);
    CHECK(request[":method"] == "GET");
    CHECK(request[":path"] == "/healthz");
    CHECK(request[":authority"] == "app.test");
    CHECK(request[":scheme"] == "http");
    CHECK(request["user-agent"].starts_with("scrollgate/"));
    for (const auto& peer : lab.dialer.peers)
        CHECK(peer->closed());
}

TEST_CASE("a POST over HTTP/2 carries its content") {
    std::vector<std::shared_ptr<Server>> servers;
    Lab lab;
    serve(lab, {.head = {{":status", "204"}}, .body = {}, .trailers = {}}, servers);
    ProbePlan plan = plan_over_http2();
    plan.method = "POST";
    plan.content = "{\"wanted\": 3}";
    CHECK(lab.probe(plan).passed);
    const Http2Peer::Request& request = servers[0]->http2.requests.at(1);
    CHECK(request.body == plan.content);
    CHECK(request["content-length"] == "13");
    CHECK(request["content-type"] == "application/json");
}

TEST_CASE("grpc.health.v1 is asked about the service, and SERVING passes") {
    std::vector<std::shared_ptr<Server>> servers;
    Lab lab;
    serve(lab, {.head = grpc_head, .body = serving(1), .trailers = {{"grpc-status", "0"}}},
          servers);
    ProbePlan plan = check;
    CHECK(lab.probe(plan).passed);
    plan.service = "shop.Cart";
    CHECK(lab.probe(plan).passed);
    REQUIRE(servers.size() == 2);
    const Http2Peer::Request& request = servers[0]->http2.requests.at(1);
    CHECK(request[":method"] == "POST");
    CHECK(request[":path"] == "/grpc.health.v1.Health/Check");
    CHECK(request["content-type"] == "application/grpc");
    CHECK(request["te"] == "trailers");
    CHECK(request["content-length"].empty());
    CHECK(request.body == "\0\0\0\0\0"s);
    CHECK(servers[1]->http2.requests.at(1).body == "\0\0\0\0\x0b\x0a\x09shop.Cart"s);
}

TEST_CASE("everything but SERVING fails, and says what it was") {
    const Http2Fields well{{"grpc-status", "0"}};
    CHECK(verdict(check, {.head = grpc_head, .body = serving(1), .trailers = well}) == "passed");
    CHECK(verdict(check, {.head = grpc_head, .body = serving(2), .trailers = well}) ==
          "NOT_SERVING");
    CHECK(verdict(check, {.head = grpc_head, .body = serving(3), .trailers = well}) ==
          "SERVICE_UNKNOWN");
    CHECK(verdict(check, {.head = grpc_head, .body = "\0\0\0\0\0"s, .trailers = well}) ==
          "UNKNOWN");
    CHECK(verdict(check, {.head = grpc_head, .body = "\0\0\0\0\7\x08\1"s, .trailers = well}) ==
          "its answer is malformed");
    Http2Fields turned_down = grpc_head;
    turned_down.emplace_back("grpc-status", "12");
    CHECK(verdict(check, {.head = turned_down, .body = {}, .trailers = {}}) ==
          "grpc-status unimplemented");
    CHECK(verdict(check,
                  {.head = grpc_head, .body = serving(1), .trailers = {{"grpc-status", "14"}}}) ==
          "grpc-status unavailable");
    CHECK(verdict(check, {.head = grpc_head, .body = serving(1), .trailers = {}}) ==
          "does not speak gRPC");
    CHECK(verdict(check, {.head = {{":status", "503"}}, .body = "no", .trailers = {}}) ==
          "status 503");
    CHECK(verdict(check, {.head = {}, .body = {}, .trailers = {}, .reset = 2}) == "stream reset");
}

TEST_CASE("a server that does not speak HTTP/2, or not at all") {
    Lab lab;
    lab.script = [](ScriptedPeer& peer) {
        peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    };
    CHECK(lab.probe(check).why.starts_with("not HTTP/2"));
    lab.script = [](ScriptedPeer& peer) { peer.finish(); };
    CHECK(lab.probe(check).why == "connection closed");
    lab.script = [](ScriptedPeer&) {};
    CHECK(lab.probe(check).why == "timeout");
    lab.script = [](ScriptedPeer& peer) {
        peer.connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    CHECK(lab.probe(check).why == "connect: Connection refused");
    for (const auto& peer : lab.dialer.peers)
        CHECK(peer->closed());
}

TEST_CASE("of a long answer as much is read as is looked at") {
    std::vector<std::shared_ptr<Server>> servers;
    Lab lab;
    serve(lab, {.head = {{":status", "200"}}, .body = std::string(3'000'000, 'x'), .trailers = {}},
          servers);
    CHECK(lab.probe(plan_over_http2()).passed);
    CHECK(lab.dialer.peers[0]->closed());
    CHECK(lab.dialer.peers[0]->delivered() < 1'000'000);
}

TEST_CASE("a probe over HTTP/2 that is called off ends, and leaves nothing") {
    Lab lab;
    std::optional<ProbeResult> result;
    Lab::child(lab.one, check, result);
    lab.settle();
    CHECK_FALSE(result);
    lab.one.cancel();
    lab.settle();
    REQUIRE(result);
    CHECK_FALSE(result->passed);
    CHECK(lab.faults.open == 0);
    CHECK(lab.loop.small_buffers().leased() == 0);
}

TEST_CASE("over HTTP/2, too, every operation may fail in every way") {
    for (const Faults::Way way :
         {Faults::Way::reset, Faults::Way::late_reset, Faults::Way::end, Faults::Way::stall}) {
        for (std::size_t nth = 1; nth < 40; ++nth) {
            std::vector<std::shared_ptr<Server>> servers;
            Lab lab;
            serve(lab, {.head = grpc_head, .body = serving(1), .trailers = {{"grpc-status", "0"}}},
                  servers);
            lab.faults.strike(nth, way);
            static_cast<void>(lab.probe(check));
            CHECK(lab.faults.open == 0);
            CHECK(lab.loop.small_buffers().leased() == 0);
            if (lab.faults.seen() < nth) break;
        }
    }
}

TEST_CASE("a pool's check by grpc is a plan") {
    config::Pool pool;
    config::HealthCheck rules;
    rules.grpc = "shop.Cart";
    rules.port = 9000;
    Endpoint endpoint;
    endpoint.name = "cart.test";
    endpoint.port = 8080;
    endpoint.address = *SocketAddress::from_ip("192.0.2.7", 8080);
    const ProbePlan plan = check_plan(pool, rules, endpoint);
    CHECK(plan.kind == ProbePlan::Kind::grpc);
    CHECK(plan.service == "shop.Cart");
    CHECK(plan.host == "cart.test:8080");
    CHECK(plan.addresses[0].port() == 9000);
}
