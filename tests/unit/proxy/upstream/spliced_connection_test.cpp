// A connection of which a body was spliced is kept only if nothing stands behind that: nobody has
// read so far.
#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "core/task.hpp"
#include "proxy/upstream/upstream_connection.hpp"
#include "tests/unit/core/net/socket_line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

detail::Detached dial(UpstreamLease& lease, SocketAddress to) {
    (void)co_await lease->connect(to);
}

}  // namespace

TEST_CASE("what stands behind a spliced body is never taken for the next answer") {
    SocketWorld world;
    SocketDialer dialer;
    ConnectionGauges gauges;
    UpstreamPool pool(world.loop, dialer, gauges);
    const Descriptor listener = listening(false);
    Endpoint endpoint;
    endpoint.address = address_of(listener.fd);
    endpoint.state = std::make_shared<EndpointState>();
    endpoint.pool_state = std::make_shared<PoolState>();

    UpstreamLease lease = pool.open(endpoint);
    REQUIRE(lease);
    dial(lease, endpoint.address);
    world.settle();
    const Descriptor far(::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC));
    std::string sent = "body";
    bool clean = false;
    SUBCASE("nothing") {
        clean = true;
    }
    SUBCASE("a forged answer") {
        sent += "HTTP/1.1 200 OK\r\n\r\n";
    }
    REQUIRE(::send(far.fd, sent.data(), sent.size(), 0) == static_cast<ssize_t>(sent.size()));
    SUBCASE("an end") {
        ::shutdown(far.fd, SHUT_WR);
    }
    world.settle();
    PipeLease pipe = world.loop.pipes().lease();
    REQUIRE(pipe);
    REQUIRE(lease->can_splice());
    CHECK(lease->splice(*pipe, 4) == 4);
    lease.keep(8s);
    // At once: the loop has had no turn to see anything.
    UpstreamLease again = pool.reuse(endpoint, false, false);
    CHECK(static_cast<bool>(again) == clean);
    again.reset();
    world.settle();  // before the pool goes
}
