#include "tests/unit/proxy/pipeline/edge.hpp"

#include <doctest/doctest.h>

#include "config/loader.hpp"
#include "core/limits.hpp"
#include "proxy/http1/server_session.hpp"

namespace scrollgate::test {

using namespace std::chrono_literals;

const char* const two_endpoints = R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
self: { node: edge-under-test }
timeouts: { client_header: 3s, client_idle: 6s, client_body: 3s, client_write: 3s, connect: 1s,
            upstream_response: 3s, upstream_body: 3s, upstream_idle: 8s, tunnel_idle: 5s }
pools:
  app:
    provider: aws
    endpoints: [ "192.0.2.1:80", "192.0.2.2:80" ]
    limits: { connections: 100, in_flight: 100 }
routes:
  - { name: all, pools: [ app ], balance: round_robin }
)";

std::shared_ptr<const Snapshot> make_snapshot(std::string_view yaml, const Clock& clock,
                                              Metrics& metrics, EndpointRegistry& registry,
                                              PoolSets& sets) {
    config::Loaded loaded = config::load_text(yaml);
    std::string problems;
    for (const config::Problem& problem : loaded.problems)
        problems += config::to_text(problem, "test") + "\n";
    REQUIRE_MESSAGE(loaded.ok(), problems);
    const auto config = std::make_shared<const config::Config>(std::move(loaded.config));
    for (const config::Pool& pool : config->pools) {
        auto set = std::make_shared<EndpointSet>();
        for (const config::Endpoint& e : pool.endpoints) {
            const SocketAddress address = *SocketAddress::from_ip(e.host, e.port);
            set->push_back(std::make_shared<const Endpoint>(Endpoint{
                pool.name, pool.provider, pool.region, e.zone, e.host, e.port, address,
                address.text(), e.weight, false, pool.limits, registry.state_of(pool.name, address),
                registry.state_of(pool.name), nullptr, pool.proxy_protocol, pool.protocol}));
        }
        sets[pool.name] = std::move(set);
    }
    return std::make_shared<const Snapshot>(1, config, config->self.node, clock.wall(), metrics);
}

Edge::Edge(std::string_view yaml, AccessLog* log)
    : silent_(config::AccessLog{"-", config::AccessLog::Format::off}, 1),
      snapshot(make_snapshot(yaml, clock, metrics, registry, sets)),
      worker(0,
             {clock, dialer, metrics, log != nullptr ? *log : silent_, admission, cache, others_},
             528, snapshot, sets) {}

Edge::~Edge() = default;

std::shared_ptr<ScriptedPeer> Edge::client(const std::string& ip) {
    auto peer = std::make_shared<ScriptedPeer>(worker.loop(), faults);
    const SocketAddress address = *SocketAddress::from_ip(ip, 40000);
    REQUIRE(admission.enter(address));
    const bool trusted = ip.starts_with("10.");
    start_session(worker, make_scripted_stream(peer), Client{address, ip, "http", "plain", trusted},
                  Protocol::cleartext);
    return peer;
}

bool Edge::settle() {
    for (int turns = 0; turns < 100'000; ++turns) {
        if (!worker.loop().poll()) return true;
    }
    return false;
}

bool Edge::pass(Duration by) {
    clock.advance(by);
    worker.loop().turn_timers();
    return settle();
}

bool Edge::served() const {
    return metrics.connection_totals().client_active == 0;
}

std::uint64_t Edge::events() const {
    std::uint64_t sum = metrics.route_totals(Metrics::no_route).requests;
    for (const RouteRuntime& route : snapshot->routes)
        sum += metrics.route_totals(route.series).requests;
    return sum;
}

const EndpointState& Edge::state_of_origin(std::size_t nth) const {
    for (const auto& [name, set] : sets) {
        for (const std::shared_ptr<const Endpoint>& endpoint : *set) {
            if (endpoint->address == dialer.peers.at(nth)->address()) return *endpoint->state;
        }
    }
    throw std::logic_error("no endpoint has that address");
}

std::string Edge::leftovers() {
    worker.upstreams().close_idle();
    std::string held;
    const auto expect_none = [&](const char* what, auto count) {
        if (count != 0) held += std::string(what) + "=" + std::to_string(count) + " ";
    };
    if (!settle()) held += "the loop does not come to rest ";
    admission.set_limits(1, limits::unlimited);
    if (admission.enter(SocketAddress())) {
        admission.leave(SocketAddress());
    } else {
        held += "admitted connections ";
    }
    for (const auto& [name, set] : sets) {
        for (const std::shared_ptr<const Endpoint>& endpoint : *set) {
            expect_none("leases", endpoint->state->in_flight.load());
            expect_none("connection tokens", endpoint->state->connections.load());
            expect_none("pool connections", endpoint->pool_state->connections.load());
            expect_none("pool in_flight", endpoint->pool_state->in_flight.load());
            expect_none("pool pending", endpoint->pool_state->pending.load());
        }
    }
    const ConnectionTotals totals = metrics.connection_totals();
    expect_none("client_active", totals.client_active);
    expect_none("client_idle", totals.client_idle);
    expect_none("upstream_active", totals.upstream_active);
    expect_none("upstream_idle", totals.upstream_idle);
    expect_none("tunnels", totals.tunnels);
    expect_none("small buffers", worker.loop().small_buffers().leased());
    expect_none("bulk buffers", worker.loop().bulk_buffers().leased());
    expect_none("spare buffers", worker.loop().spare_buffers().leased());
    expect_none("block buffers", worker.loop().block_buffers().leased());
    expect_none("open streams", faults.open);
    expect_none("streams", faults.alive);
    for (const std::string& complaint : faults.complaints)
        held += "[" + complaint + "] ";
    return held;
}

}  // namespace scrollgate::test
