#include "proxy/server/status_report.hpp"

#include "proxy/observe/process_facts.hpp"

namespace scrollgate {
namespace {

std::uint64_t get(const auto& counter) {
    return counter.load(std::memory_order_relaxed);
}

EndpointStatus report(const Endpoint& endpoint) {
    const EndpointState& state = *endpoint.state;
    return {.address = endpoint.text,
            .zone = endpoint.zone,
            .state = "up",
            .in_flight = get(state.in_flight),
            .requests = get(state.requests),
            .failures = get(state.failures),
            .retries = get(state.retries),
            .connections = get(state.connections)};
}

PoolStatus report(const config::Pool& pool, const PoolSets& sets) {
    PoolStatus status{pool.name, pool.provider, pool.region, "unresolved", {}};
    const auto found = sets.find(pool.name);
    if (found == sets.end()) return status;
    for (const auto& endpoint : *found->second)
        status.endpoints.push_back(report(*endpoint));
    if (!status.endpoints.empty()) status.state = "up";
    return status;
}

}  // namespace

Status report_status(const Snapshot& snapshot, const PoolSets& sets, const Metrics& metrics,
                     Status::State state, Duration uptime) {
    Status status;
    status.version = SCROLLGATE_VERSION;
    status.node = snapshot.node;
    status.uptime = uptime;
    status.state = state;
    status.snapshot_id = snapshot.id;
    status.loaded_at = snapshot.loaded_at;
    for (const config::Pool& pool : snapshot.config->pools) {
        status.pools.push_back(report(pool, sets));
    }
    for (const RouteRuntime& route : snapshot.routes) {
        const RouteTotals totals = metrics.route_totals(route.series);
        status.routes.push_back({route.route->name, totals.requests, totals.retries});
    }
    status.connections = metrics.connection_totals();
    status.memory_bytes = read_process_facts().resident_bytes;
    return status;
}

}  // namespace scrollgate
