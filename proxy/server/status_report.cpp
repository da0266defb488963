#include "proxy/server/status_report.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "proxy/observe/process_facts.hpp"

namespace scrollgate {
namespace {

auto get(const auto& counter) {
    return counter.load(std::memory_order_relaxed);
}

double milliseconds(Duration span) {
    return seconds_of(span) * 1000;
}

EndpointStatus report(const Endpoint& endpoint, const HealthStatus::Endpoint* known,
                      TimePoint now) {
    const EndpointState& state = *endpoint.state;
    EndpointStatus made;
    made.address = endpoint.text;
    made.zone = endpoint.zone;
    made.standby = endpoint.standby;
    const Standing standing = get(state.standing);
    made.state = standing_text(standing);
    made.score = standing == Standing::in ? get(state.score) : 0;
    made.check = get(state.check_part);
    made.success = get(state.success_part);
    made.latency = get(state.latency_part);
    made.ramp = get(state.ramp_part);
    made.dependency = get(state.dependency_part);
    made.ewma_ms = double{state.latency.value(now)} / 1000;
    made.p50_ms = milliseconds(state.heads.quantile(0.5));
    made.p99_ms = milliseconds(state.heads.quantile(0.99));
    made.in_flight = get(state.in_flight);
    made.requests = get(state.requests);
    made.failures = get(state.failures);
    made.ejections = get(state.ejections);
    made.retries = get(state.retries);
    made.hedges = get(state.hedges);
    made.connections = get(state.connections);
    if (known == nullptr) return made;
    made.why = known->why;
    made.availability = known->availability;
    return made;
}

std::string tls_of(const config::Pool& pool) {
    const auto over_tls = [](const config::Endpoint& endpoint) { return endpoint.tls; };
    if (std::none_of(pool.endpoints.begin(), pool.endpoints.end(), over_tls) &&
        std::none_of(pool.standby.begin(), pool.standby.end(), over_tls))
        return "off";
    const config::PoolTls tls = pool.tls.value_or(config::PoolTls{});
    if (!tls.pin.empty()) return "pinned";
    return tls.verify ? "verified" : "unverified";
}

PoolStatus report(const config::Pool& pool, const PoolSets& sets, const HealthStatus::Pool* known,
                  TimePoint now) {
    PoolStatus made;
    made.name = pool.name;
    made.provider = pool.provider;
    made.region = pool.region;
    made.tls = tls_of(pool);
    made.state = "starting";
    made.why = "health has not looked at it yet";
    std::unordered_map<std::string_view, const HealthStatus::Endpoint*> by_address;
    if (known != nullptr) {
        made.state = known->state;
        made.why = known->why;
        made.score = known->score;
        made.share = known->share;
        made.active = known->active;
        made.standby = known->standby;
        made.scale = known->scale;
        made.depends_on = known->depends_on;
        made.availability = known->availability;
        made.ejections = known->ejections;
        for (const HealthStatus::Endpoint& one : known->endpoints)
            by_address.emplace(one.address, &one);
    }
    const auto set = sets.find(pool.name);
    if (set == sets.end()) return made;
    for (const auto& endpoint : *set->second) {
        const auto found = by_address.find(endpoint->text);
        made.endpoints.push_back(
            report(*endpoint, found != by_address.end() ? found->second : nullptr, now));
    }
    return made;
}

void add_totals(CacheStatus& into, const RouteTotals& route) {
    into.counts.hits += route.hits;
    into.counts.stale += route.stale;
    into.counts.misses += route.misses;
    into.counts.passes += route.passes;
    into.collapsed += route.collapsed;
    into.bytes_hit += route.bytes_hit;
    into.bytes_missed += route.bytes_missed;
}

void add_store(CacheStatus& into, const ResponseCache& cache) {
    into.store = cache.store.numbers();
    into.fills = cache.fills.size();
    into.waiting = cache.fills.waiting();
    // Before the first look-up it would be a guess about nothing.
    if (into.counts.hits + into.counts.stale + into.counts.misses > 0)
        for (const HitRateAt& point : cache.store.hit_rates())
            into.curve.push_back({point.times, 1 - point.hit_rate});
    into.lookup_p50_us = cache.lookups.quantile_us(0.5);
    into.lookup_p99_us = cache.lookups.quantile_us(0.99);
    into.lookups = cache.lookups.totals();
}

}  // namespace

Status report_status(const Snapshot& snapshot, const PoolSets& sets, const HealthStatus& health,
                     const Metrics& metrics, const ResponseCache& cache, TimePoint now) {
    Status status;
    status.version = SCROLLGATE_VERSION;
    status.node = snapshot.node;
    status.snapshot_id = snapshot.id;
    status.loaded_at = snapshot.loaded_at;
    for (const config::Pool& pool : snapshot.config->pools)
        status.pools.push_back(report(pool, sets, health.pool(pool.name), now));
    for (const RouteRuntime& runtime : snapshot.routes) {
        const RouteTotals totals = metrics.route_totals(runtime.series);
        RouteStatus& route = status.routes.emplace_back();
        route.name = runtime.route->name;
        route.requests = totals.requests;
        route.retries = totals.retries;
        route.hedges = totals.hedges;
        route.has_pools = !runtime.route->pools.empty();
        route.budget = runtime.budget->left(now);
        route.panicking = health.panicking(route.name);
        if (runtime.cache == nullptr) continue;
        route.cache = {totals.hits, totals.stale, totals.misses, totals.passes};
        add_totals(status.cache, totals);
    }
    add_store(status.cache, cache);
    status.connections = metrics.connection_totals();
    status.memory_bytes = read_process_facts().resident_bytes;
    status.availability = health.availability;
    return status;
}

}  // namespace scrollgate
