// A connection to each standby: who gets one, when it is renewed, and what a stop leaves.
#include "proxy/upstream/warm_standbys.hpp"

#include <doctest/doctest.h>

#include "tests/support/scripted_stream.hpp"
#include "tests/support/turns.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

struct Lab {
    Lab() {
        dialer.on_connect = [this](ScriptedPeer& peer) {
            if (refuses)
                peer.connect_result(make_error_code(boost::system::errc::connection_refused));
            if (holds) peer.hold_connect();
        };
    }
    ~Lab() {
        warm.stop();
        settle(loop);
        pool.close_idle();
        settle(loop);
        CHECK(faults.alive == 0);
        CHECK(faults.complaints == std::vector<std::string>{});
    }
    std::shared_ptr<Endpoint> add(std::uint16_t port, bool standby) {
        auto endpoint = std::make_shared<Endpoint>();
        endpoint->address = *SocketAddress::from_ip("192.0.2.1", port);
        endpoint->standby = standby;
        endpoint->state = std::make_shared<EndpointState>();
        endpoint->state->standing = standby ? Standing::standby : Standing::in;
        endpoint->pool_state = pool_state;
        set->push_back(endpoint);
        return endpoint;
    }
    void watch() {
        warm.watch({set}, 1s, 30s);
        pass(loop, clock, 5ms);
    }

    FarClock far;
    ManualClock& clock = far.clock;
    EventLoop loop{clock, 1, 1'000};
    Faults faults;
    ScriptedDialer dialer{faults};
    ConnectionGauges gauges;
    UpstreamPool pool{loop, dialer, gauges};
    WarmStandbys warm{loop, pool};
    std::shared_ptr<PoolState> pool_state = std::make_shared<PoolState>();
    std::shared_ptr<EndpointSet> set = std::make_shared<EndpointSet>();
    bool refuses = false, holds = false;
};

}  // namespace

TEST_CASE("each standby has one connection, and who is in service has none of this") {
    Lab lab;
    const auto active = lab.add(80, false), first = lab.add(81, true), second = lab.add(82, true);
    lab.watch();
    CHECK(lab.dialer.peers.size() == 2);
    CHECK_FALSE(lab.pool.has_idle(*active));
    CHECK(lab.pool.has_idle(*first));
    CHECK(lab.pool.has_idle(*second));
    pass(lab.loop, lab.clock, 6s);
    CHECK(lab.dialer.peers.size() == 2);  // they are there
    UpstreamLease lease = lab.pool.reuse(*first, false, true);
    REQUIRE(lease);
    CHECK(lease->reused());
}

TEST_CASE("what the standby closes, or did not take, is asked for again") {
    Lab lab;
    const auto standby = lab.add(81, true);
    lab.refuses = true;
    lab.watch();
    CHECK_FALSE(lab.pool.has_idle(*standby));
    lab.refuses = false;
    pass(lab.loop, lab.clock, 6s);
    REQUIRE(lab.pool.has_idle(*standby));
    lab.dialer.peers.back()->finish();
    settle(lab.loop);
    CHECK_FALSE(lab.pool.has_idle(*standby));
    pass(lab.loop, lab.clock, 6s);
    CHECK(lab.pool.has_idle(*standby));
}

TEST_CASE("who is scaled out is kept warm as well; who is scaled in is left alone") {
    Lab lab;
    const auto first = lab.add(80, false), second = lab.add(81, true);
    first->state->standing = Standing::standby;
    second->state->standing = Standing::in;
    lab.watch();
    CHECK(lab.pool.has_idle(*first));
    CHECK_FALSE(lab.pool.has_idle(*second));
}

TEST_CASE("a PROXY header or HTTP/2 leaves nothing to be kept") {
    Lab lab;
    lab.add(81, true)->proxy_protocol = config::Pool::ProxyProtocol::v1;
    lab.add(82, true)->protocol = config::Pool::Protocol::h2c;
    lab.watch();
    CHECK(lab.dialer.peers.empty());
}

TEST_CASE("a connect that takes too long, or is under way at the stop, leaves nothing") {
    Lab lab;
    const auto standby = lab.add(81, true);
    lab.holds = true;
    lab.watch();
    CHECK(standby->state->connections == 1);
    pass(lab.loop, lab.clock, 1100ms);
    CHECK(standby->state->connections == 0);
    pass(lab.loop, lab.clock, 6s);
    CHECK(standby->state->connections == 1);
    lab.warm.stop();
    settle(lab.loop);
    CHECK(standby->state->connections == 0);
    pass(lab.loop, lab.clock, 20s);
    CHECK(lab.dialer.peers.size() == 2);
}
