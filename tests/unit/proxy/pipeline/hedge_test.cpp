// A second attempt beside one that is late: when it is made, and whose answer counts.
#include "proxy/pipeline/hedge.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string bad = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";

/// The route has had its samples: answers take 10 ms.
void warm(Edge& edge) {
    HedgeGate& gate = *edge.worker.snapshot_ref()->hedges[0];
    for (unsigned i = 0; i < limits::hedge_samples; ++i) {
        gate.request();
        gate.answered(10ms);
    }
}

/// Each endpoint has answered within 2 ms, and then left `unanswered` attempts without an answer.
void past(Edge& edge, std::uint32_t unanswered) {
    for (const auto& [pool, set] : edge.sets) {
        for (const auto& endpoint : *set) {
            for (int i = 0; i < 20; ++i)
                endpoint->state->heads.record(2ms);
            endpoint->state->unanswered_run = unanswered;
        }
    }
}

/// two_endpoints, with `to` in the place of `from`.
std::string with(const std::string& from, const std::string& to) {
    std::string yaml = two_endpoints;
    return yaml.replace(yaml.find(from), from.size(), to);
}

const std::string three_endpoints = with("\"192.0.2.2:80\"", "\"192.0.2.2:80\", \"192.0.2.3:80\"");

/// Endpoints that answer when they are told to.
struct Late {
    explicit Late(const std::string& request = get, bool warmed = true,
                  void (*past)(Edge&) = nullptr, const std::string& yaml = two_endpoints)
        : edge(yaml) {
        if (warmed) warm(edge);
        if (past != nullptr) past(edge);
        client = edge.client();
        client->send(request);
        CHECK(edge.settle());
        REQUIRE(edge.dialer.peers.size() == 1);
    }
    /// Time goes by in ticks.
    void wait(Duration time) {
        for (Duration passed{0}; passed < time; passed += 5ms)
            REQUIRE(edge.pass(5ms));
    }
    void answer(std::size_t origin, const std::string& bytes) {
        edge.dialer.peers[origin]->send(bytes);
        REQUIRE(edge.settle());
    }
    void end() {
        client->finish();
        CHECK(edge.settle());
        CHECK(edge.events() == 1);
        CHECK(edge.leftovers() == "");
    }
    [[nodiscard]] std::size_t attempts() const { return edge.dialer.peers.size(); }
    [[nodiscard]] const ScriptedPeer& origin(std::size_t i) const { return *edge.dialer.peers[i]; }
    [[nodiscard]] const EndpointState& state(std::size_t i) const {
        return edge.state_of_origin(i);
    }
    [[nodiscard]] ReadMessage read() const { return read_final(client->written()); }

    Edge edge;
    std::shared_ptr<ScriptedPeer> client;
};

}  // namespace

TEST_CASE("a late GET is asked of another endpoint, and the first answer wins") {
    Late late;
    late.wait(10ms);
    CHECK(late.attempts() == 1);
    late.wait(10ms);
    REQUIRE(late.attempts() == 2);
    CHECK(late.origin(1).written().starts_with("GET /a "));
    late.answer(1, ok_ten + ten);
    CHECK(late.read().status == 200);
    CHECK(late.read().body == ten);
    CHECK(late.origin(0).closed());
    CHECK(late.state(0).failures == 0);
    CHECK(late.state(1).hedges == 1);
    late.end();
}

TEST_CASE("of one that has gone silent, the answer is late when it would be late for that one") {
    Late known(get, true, [](Edge& edge) { past(edge, 0); });
    known.wait(5ms);
    CHECK(known.attempts() == 1);
    known.answer(0, ok_ten + ten);
    known.end();
    Late silent(get, true, [](Edge& edge) { past(edge, 1); });
    silent.wait(5ms);
    REQUIRE(silent.attempts() == 2);
    silent.answer(1, ok_ten + ten);
    CHECK(silent.read().status == 200);
    silent.end();
}

TEST_CASE("a hedge that finds the other endpoint full is made when that has room") {
    Late late(get, true, nullptr,
              with("limits: { connections: 100, in_flight: 100 }",
                   "limits: { endpoint: { in_flight: 1 } }"));
    const auto other = late.edge.client();
    other->send(get);
    CHECK(late.edge.settle());
    REQUIRE(late.attempts() == 2);
    late.wait(50ms);
    CHECK(late.attempts() == 2);
    late.answer(1, ok_ten + ten);
    CHECK(read_final(other->written()).status == 200);
    late.wait(20ms);
    CHECK(late.state(1).hedges == 1);
    late.answer(1, ok_ten + ten);
    CHECK(late.read().status == 200);
    other->finish();
    late.client->finish();
    CHECK(late.edge.settle());
    CHECK(late.edge.leftovers() == "");
}

TEST_CASE("where the other endpoint is silent, too, a third one takes its place") {
    Late late(
        get, true, [](Edge& edge) { past(edge, 1); }, three_endpoints);
    late.wait(5ms);
    REQUIRE(late.attempts() == 2);
    late.wait(15ms);
    REQUIRE(late.attempts() == 3);
    CHECK(late.origin(1).closed());
    CHECK_FALSE(late.origin(0).closed());
    late.wait(1s);
    CHECK(late.attempts() == 3);
    late.answer(2, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("the first wins while another takes the place of the one beside it") {
    Late late(
        get, true, [](Edge& edge) { past(edge, 1); }, three_endpoints);
    late.wait(20ms);
    REQUIRE(late.attempts() == 3);
    late.answer(0, ok_ten + ten);
    CHECK(late.read().status == 200);
    CHECK(late.origin(2).closed());
    late.end();
}

TEST_CASE("one that is only slow keeps its place beside the first") {
    Late late(get, true, nullptr, three_endpoints);
    late.wait(1s);
    CHECK(late.attempts() == 2);
    late.answer(1, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("where the other endpoint breaks off, a third one takes its place") {
    Late late(get, true, nullptr, three_endpoints);
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.edge.dialer.peers[1]->reset();
    REQUIRE(late.edge.settle());
    REQUIRE(late.attempts() == 3);
    late.answer(2, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("one that broke off while no other attempt was allowed takes no place for the next") {
    Late late(
        get, true, [](Edge& edge) { past(edge, 1); }, three_endpoints);
    late.wait(5ms);
    REQUIRE(late.attempts() == 2);
    HedgeGate& gate = *late.edge.worker.snapshot_ref()->hedges[0];
    while (gate.take()) {
    }
    RetryBudget& budget = *late.edge.worker.snapshot_ref()->shared->routes[0].budget;
    while (budget.take(late.edge.clock.now())) {
    }
    late.edge.dialer.peers[1]->reset();
    REQUIRE(late.edge.settle());
    CHECK(late.attempts() == 2);
    late.wait(1s);
    CHECK(late.attempts() == 2);  // no endpoint is claimed that nobody asks
    late.answer(0, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("the first may still win, and the other one is let go") {
    Late late;
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.answer(0, ok_ten + ten);
    CHECK(late.read().status == 200);
    CHECK(late.origin(1).closed());
    CHECK(late.state(1).failures == 0);
    CHECK(late.state(1).latency.value(late.edge.clock.now()) > 0);
    late.end();
}

TEST_CASE("a 5xx does not win while the other attempt is pending") {
    Late late;
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.answer(0, bad);
    CHECK(late.client->written().empty());
    late.answer(1, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("if both give a 5xx, the first one's is passed on") {
    Late late;
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.answer(1, "HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n");
    CHECK(late.client->written().empty());
    late.answer(0, bad);
    CHECK(late.read().status == 500);
    late.end();
}

TEST_CASE("an attempt that breaks leaves the answer to the one beside it") {
    Late late;
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.edge.dialer.peers[0]->reset();
    REQUIRE(late.edge.settle());
    CHECK(late.client->written().empty());
    late.answer(1, ok_ten + ten);
    CHECK(late.read().status == 200);
    CHECK(late.attempts() == 2);
    CHECK(late.state(0).failures == 1);
    late.end();
}

TEST_CASE("1xx heads wait for the attempt that wins") {
    const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    Late late;
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.answer(0, "HTTP/1.1 103 Early Hints\r\nLink: </wrong>\r\n\r\n");
    late.answer(1, hints);
    CHECK(late.client->written().empty());
    late.answer(1, ok_ten + ten);
    CHECK(late.client->written().starts_with("HTTP/1.1 103 "));
    CHECK(late.client->written().find("Link: </a>") != std::string::npos);
    CHECK(late.client->written().find("</wrong>") == std::string::npos);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("an endpoint that has said 1xx is at work, and is not hedged") {
    Late late;
    late.answer(0, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    CHECK(late.client->written().starts_with("HTTP/1.1 103 "));
    late.wait(1s);
    CHECK(late.attempts() == 1);
    CHECK(late.state(0).unanswered_run == 0);
    late.answer(0, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("what must not be sent twice is not hedged") {
    const auto never_hedged = [](const std::string& request) {
        INFO(request);
        Late late(request);
        late.wait(1s);
        CHECK(late.attempts() == 1);
        late.answer(0, ok_ten + ten);
        CHECK(late.read().status == 200);
        late.end();
    };
    never_hedged("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    never_hedged("DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n");
    never_hedged("GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eA==\r\n\r\n");
    never_hedged("GET /a HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
    never_hedged("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
}

TEST_CASE("nothing is late before the route has had its samples") {
    Late late(get, false);
    late.wait(2s);
    CHECK(late.attempts() == 1);
    CHECK(late.state(0).unanswered_run == 0);
    late.answer(0, ok_ten + ten);
    late.end();
}

TEST_CASE("an attempt that is far too late is told to health once, and goes on") {
    Late late("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    late.wait(30ms);
    CHECK(late.state(0).unanswered_run == 0);
    late.wait(10ms);
    CHECK(late.state(0).unanswered_run == 1);
    late.wait(2s);
    CHECK(late.state(0).unanswered_run == 1);
    late.answer(0, ok_ten + ten);
    CHECK(late.read().status == 200);
    CHECK(late.state(0).unanswered_run == 0);
    late.end();
}

TEST_CASE("of one that is far away, no answer is overdue that takes what its answers take") {
    const auto well_known = [](EndpointState& state, TimePoint) {
        for (int i = 0; i < 20; ++i)
            state.heads.record(80ms);
    };
    const auto hardly_known = [](EndpointState& state, TimePoint now) {
        for (int i = 0; i < 3; ++i)  // one alone is not believed
            state.latency.observe(80ms, now);
    };
    using Tell = void (*)(EndpointState&, TimePoint);
    for (const Tell tell : {Tell(well_known), Tell(hardly_known)}) {
        static Tell told;
        told = tell;
        Late late(get, true, [](Edge& edge) {
            for (const auto& [pool, set] : edge.sets)
                for (const auto& endpoint : *set)
                    told(*endpoint->state, edge.worker.loop().now());
        });
        late.wait(200ms);
        CHECK(late.state(0).unanswered_run == 0);
        late.wait(100ms);
        CHECK(late.state(0).unanswered_run == 1);
        late.answer(0, ok_ten + ten);
        late.end();
    }
}

TEST_CASE("an attempt that was overdue and then breaks is one failure for health, not two") {
    Late late("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    late.wait(40ms);
    CHECK(late.state(0).unanswered_run == 1);
    late.edge.dialer.peers[0]->reset();
    REQUIRE(late.edge.settle());
    CHECK(late.read().status == 502);
    CHECK(late.state(0).broken == 1);
    CHECK(late.state(0).unanswered_run == 1);
    late.end();
}

TEST_CASE("a quiet route keeps what is usual until there is as much that is newer") {
    HedgeGate gate;
    TimePoint now{1h};
    const auto answers = [&](unsigned count, Duration took, Duration each) {
        for (unsigned i = 0; i < count; ++i) {
            gate.answered(took);
            now += each;
            static_cast<void>(gate.usual(now));
        }
    };
    answers(limits::hedge_samples, 10ms, 3s);  // far fewer than fit into any span
    CHECK(gate.usual(now) != no_limit);
    now += 1h;
    CHECK(gate.usual(now) != no_limit);
    answers(3 * limits::hedge_samples, 80ms, 3s);
    CHECK(gate.usual(now) >= 80ms);
}

TEST_CASE("a reload leaves a route what is usual for it") {
    Edge edge;
    warm(edge);
    const std::shared_ptr<HedgeGate> gate = edge.worker.snapshot_ref()->hedges[0];
    edge.worker.adopt(edge.worker.snapshot_ref()->shared, edge.sets);
    CHECK(edge.settle());
    CHECK(edge.worker.snapshot_ref()->hedges[0] == gate);
}

TEST_CASE("hedges are a small share of the requests, and more only beside a silent endpoint") {
    HedgeGate gate;
    unsigned hedges = 0;
    for (int i = 0; i < 10'000; ++i) {
        gate.request();
        hedges += gate.take() ? 1 : 0;
    }
    CHECK(hedges <= 10'000 * limits::hedge_share);
    CHECK(hedges >= 10'000 * limits::hedge_share - 1);

    Late late;
    HedgeGate& used_up = *late.edge.worker.snapshot_ref()->hedges[0];
    while (used_up.take()) {
    }
    late.wait(25ms);
    CHECK(late.attempts() == 1);  // the endpoint may only be slow
    late.wait(30ms);
    CHECK(late.attempts() == 2);  // it is overdue: silent
    late.answer(1, ok_ten + ten);
    CHECK(late.read().status == 200);
    late.end();
}

TEST_CASE("a hedged GET leaves nothing behind, whichever operation fails") {
    run_all({.name = "hedge",
             .requests = {{get}, {get}},
             .origin =
                 [] {
                     return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
                         if (peer.address().ip() != "192.0.2.1") peer.send(ok_ten + ten);
                     });
                 },
             .statuses = {200, 200},
             .before = warm,
             .seconds = 3});
}

TEST_CASE("an endpoint that a hedge overtakes long after its own usual time is told to health") {
    Late late;
    for (int i = 0; i < 30; ++i) {
        for (const auto& endpoint : late.edge.endpoints("app"))
            endpoint->state->heads.record(2ms);
    }
    late.wait(20ms);
    REQUIRE(late.attempts() == 2);
    late.answer(1, ok_ten + ten);
    CHECK(late.state(0).unanswered_run == 1);
    late.end();

    Late far;  // the same, of one that always takes as long
    for (int i = 0; i < 30; ++i) {
        for (const auto& endpoint : far.edge.endpoints("app"))
            endpoint->state->heads.record(25ms);
    }
    far.wait(20ms);
    REQUIRE(far.attempts() == 2);
    far.answer(1, ok_ten + ten);
    CHECK(far.state(0).unanswered_run == 0);
    far.end();
}

TEST_CASE("one that stays silent is told of attempts that a hedge overtakes at its usual time") {
    const auto told = [](Duration usual, Duration silent) {
        Late late(get, true, [](Edge& edge) { past(edge, 1); });
        for (const auto& endpoint : late.edge.endpoints("app")) {
            endpoint->state->heads.record(usual);
            endpoint->state->last_answer =
                (late.edge.clock.now() - silent).time_since_epoch().count();
        }
        late.wait(20ms);
        REQUIRE(late.attempts() == 2);
        late.answer(1, ok_ten + ten);
        const std::uint32_t run = late.state(0).unanswered_run;
        late.end();
        return run;
    };
    CHECK(told(18ms, 1s) == 2);
    CHECK(told(18ms, 50ms) == 1);  // it may only pause
    CHECK(told(100ms, 1s) == 1);   // it always takes as long
}

TEST_CASE("a request from before the route's samples is watched as soon as they are there") {
    Late late(get, false);
    late.wait(50ms);
    warm(late.edge);
    late.wait(100ms);
    CHECK(late.attempts() == 2);
    late.answer(1, ok_ten + ten);
    late.end();
}
