// Idle upstream connections: which one is used again, which one is not, and when they go.
#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "core/task.hpp"
#include "proxy/upstream/upstream_connection.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/turns.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const Endpoint> make_endpoint(std::uint16_t port,
                                              std::uint64_t connections = limits::unlimited) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->pool = "app";
    endpoint->address = *SocketAddress::from_ip("192.0.2.1", port);
    endpoint->limits.endpoint.connections = connections;
    endpoint->state = std::make_shared<EndpointState>();
    endpoint->pool_state = std::make_shared<PoolState>();
    return endpoint;
}

detail::Detached dial(UpstreamLease& lease, SocketAddress to) {
    (void)co_await lease->connect(to);
}

/// A worker's pool with two endpoints.
struct Pools {
    Pools() = default;
    ~Pools() {
        pool.close_idle();
        settle();
        CHECK(gauges.upstream_active == 0);
        CHECK(gauges.upstream_idle == 0);
        CHECK(a->state->connections == 0);
        CHECK(b->state->connections == 0);
        CHECK(loop.small_buffers().leased() == 0);
        CHECK(faults.alive == 0);
        CHECK(faults.complaints == std::vector<std::string>{});
    }
    void settle() { test::settle(loop); }
    void pass(Duration by) { test::pass(loop, clock, by); }
    UpstreamLease open(const Endpoint& endpoint) {
        UpstreamLease lease = pool.open(endpoint);
        REQUIRE(lease);
        dial(lease, endpoint.address);
        settle();
        return lease;
    }
    /// An idle connection to `a`; its far end.
    ScriptedPeer& idle(Duration keep = 8s) {
        open(*a).keep(keep);
        settle();
        return *dialer.peers.back();
    }

    FarClock far;
    ManualClock& clock = far.clock;
    EventLoop loop{clock, 1, 1'000};
    Faults faults;
    ScriptedDialer dialer{faults};
    ConnectionGauges gauges;
    UpstreamPool pool{loop, dialer, gauges};
    std::shared_ptr<const Endpoint> a = make_endpoint(80), b = make_endpoint(81);
};

}  // namespace

TEST_CASE("a kept connection is used again, and only for its endpoint") {
    Pools p;
    UpstreamLease lease = p.open(*p.a);
    const UpstreamConnection* const connection = &*lease;
    CHECK_FALSE(lease->reused());
    CHECK(p.a->state->connections == 1);
    CHECK(p.gauges.upstream_active == 1);
    lease.keep(8s);
    CHECK_FALSE(lease);
    CHECK(p.gauges.upstream_idle == 1);
    CHECK_FALSE(p.pool.reuse(*p.b, false, true));
    UpstreamLease again = p.pool.reuse(*p.a, false, true);
    REQUIRE(again);
    CHECK(&*again == connection);
    CHECK(again->reused());
    CHECK(p.gauges.upstream_idle == 0);
    CHECK_FALSE(p.pool.reuse(*p.a, false, true));  // it is taken
}

TEST_CASE("the connection that was used last is used first") {
    Pools p;
    UpstreamLease first = p.open(*p.a), second = p.open(*p.a), third = p.open(*p.a);
    const UpstreamConnection* const at_first = &*first;
    const UpstreamConnection* const at_second = &*second;
    second.keep(8s);
    third.keep(8s);
    first.keep(8s);
    UpstreamLease one = p.pool.reuse(*p.a, false, true);
    CHECK(&*one == at_first);
    p.pool.reuse(*p.a, false, true).reset();  // the third
    UpstreamLease last = p.pool.reuse(*p.a, false, true);
    CHECK(&*last == at_second);
}

TEST_CASE("what cannot be repeated takes only a connection that was idle for less than a second") {
    Pools p;
    p.idle();
    p.pass(990ms);
    UpstreamLease young = p.pool.reuse(*p.a, true, true);
    REQUIRE(young);
    young.keep(8s);
    p.pass(1s);
    CHECK_FALSE(p.pool.reuse(*p.a, true, true));
    CHECK(p.pool.reuse(*p.a, false, true));
}

TEST_CASE("an idle connection gives its buffer back after a second and closes after its time") {
    Pools p;
    const ScriptedPeer& peer = p.idle(8s);
    CHECK(p.loop.small_buffers().leased() == 1);
    p.pass(1100ms);
    CHECK(p.loop.small_buffers().leased() == 0);
    CHECK(peer.waits_readable());
    p.pass(6s);
    CHECK_FALSE(peer.closed());
    p.pass(1s);
    CHECK(peer.closed());
    CHECK(p.gauges.upstream_idle == 0);
    CHECK_FALSE(p.pool.reuse(*p.a, false, true));
}

TEST_CASE("an idle time shorter than a second is kept to, and one of nothing is none") {
    Pools p;
    const ScriptedPeer& peer = p.idle(300ms);
    p.pass(290ms);
    CHECK_FALSE(peer.closed());
    p.pass(20ms);
    CHECK(peer.closed());
    CHECK(p.idle(0s).closed());
}

TEST_CASE("a connection that is used again does not keep its idle deadline") {
    Pools p;
    p.idle(2s);
    UpstreamLease lease = p.pool.reuse(*p.a, false, true);
    REQUIRE(lease);
    p.pass(1h);
    CHECK(lease->is_open());
    CHECK_FALSE(lease->failure().has_value());
}

TEST_CASE("a parked connection carries another exchange") {
    Pools p;
    ScriptedPeer& peer = p.idle();
    p.pass(2s);
    REQUIRE(peer.waits_readable());
    UpstreamLease lease = p.pool.reuse(*p.a, false, true);
    REQUIRE(lease);
    peer.send("answer");
    p.settle();
    CHECK(lease->received() == "answer");
}

TEST_CASE("a FIN, a reset, or bytes that nobody asked for end an idle connection") {
    for (const bool parked : {false, true}) {
        for (int way = 0; way < 3; ++way) {
            INFO("parked ", parked, ", way ", way);
            Pools p;
            ScriptedPeer& peer = p.idle();
            if (parked) p.pass(2s);
            if (way == 0) peer.finish();
            if (way == 1) peer.reset();
            if (way == 2) peer.send("HTTP/1.1 408 Request Timeout\r\n\r\n");
            p.settle();
            CHECK(peer.closed());
            CHECK(p.gauges.upstream_idle == 0);
            CHECK_FALSE(p.pool.reuse(*p.a, false, true));
        }
    }
}

TEST_CASE("what arrived behind the answer, before the loop had its turn, is not passed on") {
    for (const bool end : {false, true}) {
        Pools p;
        UpstreamLease older = p.open(*p.a), lease = p.open(*p.a);
        ScriptedPeer& peer = *p.dialer.peers.back();
        older.keep(8s);
        lease.keep(8s);
        end ? peer.finish() : peer.send("HTTP/1.1 200 OK\r\n\r\n");
        UpstreamLease again = p.pool.reuse(*p.a, false, true);  // without a turn of the loop
        REQUIRE(again);
        p.settle();
        CHECK(peer.closed());
        CHECK(again->received().empty());
        CHECK(again->is_open());
    }
}

TEST_CASE("a connection with leftover bytes, an end or a failure is not kept") {
    for (int way = 0; way < 3; ++way) {
        Pools p;
        UpstreamLease lease = p.open(*p.a);
        ScriptedPeer& peer = *p.dialer.peers.back();
        lease->arm();
        if (way == 0) peer.send("more than the answer");
        if (way == 1) peer.finish();
        if (way == 2) lease->fail(ErrorKind::upstream_stalled);
        p.settle();
        lease.keep(8s);
        p.settle();
        CHECK(p.gauges.upstream_idle == 0);
        CHECK(peer.closed());
    }
}

TEST_CASE("a lease that is let go closes its connection, also with a read pending") {
    Pools p;
    {
        const UpstreamLease lease = p.open(*p.a);
        lease->arm();
    }
    CHECK(p.dialer.peers[0]->closed());
    p.settle();
    CHECK(p.a->state->connections == 0);
}

TEST_CASE("an endpoint has at most its limit of connections; an idle one makes room") {
    Pools p;
    const auto limited = make_endpoint(82, 2);
    p.idle();  // to another endpoint: makes no room
    UpstreamLease first = p.open(*limited), second = p.open(*limited);
    Limit reached = Limit::none;
    CHECK_FALSE(p.pool.open(*limited, &reached));
    CHECK(reached == Limit::endpoint);
    first.keep(8s);
    const UpstreamLease third = p.pool.open(*limited, &reached);
    CHECK(third);
    CHECK(reached == Limit::none);
    CHECK(limited->state->connections == 2);
    CHECK_FALSE(p.dialer.peers[0]->closed());
    CHECK(p.dialer.peers[1]->closed());
    CHECK_FALSE(p.pool.open(*limited));
}

TEST_CASE("a pool has at most its limit of connections; the one that idles longest makes room") {
    Pools p;
    const auto one = std::make_shared<Endpoint>(*make_endpoint(82));
    one->limits.connections = 2;
    const auto two = std::make_shared<Endpoint>(*one);
    two->state = std::make_shared<EndpointState>();
    p.idle();  // to another pool
    UpstreamLease first = p.open(*one), second = p.open(*one);
    Limit reached = Limit::none;
    CHECK_FALSE(p.pool.open(*two, &reached));
    CHECK(reached == Limit::pool);
    CHECK(two->state->connections == 0);
    first.keep(8s);
    p.pass(10ms);
    second.keep(8s);
    UpstreamLease third = p.open(*two);
    CHECK(p.dialer.peers[1]->closed());
    CHECK_FALSE(p.dialer.peers[2]->closed());
    CHECK(one->pool_state->connections == 2);
    third.reset();
    CHECK(p.pool.close_one_idle(*one->pool_state));
    CHECK_FALSE(p.pool.close_one_idle(*one->pool_state));
    CHECK(one->pool_state->connections == 0);
}

TEST_CASE("a connection that is let go is not counted any more, though its read ends later") {
    Pools p;
    const auto limited = make_endpoint(82, 1);
    UpstreamLease lease = p.open(*limited);
    lease->arm();
    lease.reset();
    CHECK(limited->state->connections == 0);
    CHECK(p.pool.open(*limited));
    p.settle();
    CHECK(limited->state->connections == 0);
}

TEST_CASE("beyond the bound the oldest idle connection goes") {
    Pools p;
    std::vector<UpstreamLease> all;
    for (std::size_t i = 0; i <= limits::idle_per_endpoint; ++i)
        all.push_back(p.open(*p.a));
    for (UpstreamLease& lease : all) {
        lease.keep(8s);
        p.clock.advance(1ms);
    }
    p.settle();
    CHECK(p.gauges.upstream_idle == static_cast<std::int64_t>(limits::idle_per_endpoint));
    CHECK(p.dialer.peers.front()->closed());
    CHECK_FALSE(p.dialer.peers.back()->closed());
}

TEST_CASE("to free a descriptor, the oldest idle connection of all endpoints closes") {
    Pools p;
    p.idle();
    p.pass(10ms);
    p.open(*p.b).keep(8s);
    p.pass(10ms);
    p.idle();
    CHECK(p.pool.close_one_idle());
    CHECK(p.dialer.peers[0]->closed());
    CHECK(p.pool.close_one_idle());
    CHECK(p.dialer.peers[1]->closed());
    CHECK(p.pool.close_one_idle());
    CHECK_FALSE(p.pool.close_one_idle());
}

TEST_CASE("endpoints that are gone lose their idle connections now and their busy ones later") {
    Pools p;
    p.idle();
    const ScriptedPeer& idle = *p.dialer.peers.back();
    UpstreamLease busy = p.open(*p.a);
    p.open(*p.b).keep(8s);
    const auto only_b = std::make_shared<const EndpointSet>(EndpointSet{p.b});
    p.pool.retire_others({only_b});
    p.settle();
    CHECK(idle.closed());
    CHECK(busy->is_open());
    CHECK(p.pool.reuse(*p.b, false, true));
    busy.keep(8s);
    p.settle();
    CHECK(p.a->state->connections == 0);
    CHECK_FALSE(p.pool.reuse(*p.a, false, true));
}

TEST_CASE("an endpoint that comes back keeps its connections from then on") {
    Pools p;
    UpstreamLease busy = p.open(*p.a);
    p.pool.retire_others({std::make_shared<const EndpointSet>(EndpointSet{p.b})});
    p.pool.retire_others({std::make_shared<const EndpointSet>(EndpointSet{p.a, p.b})});
    busy.keep(8s);
    p.settle();
    CHECK(p.pool.reuse(*p.a, false, true));
}
