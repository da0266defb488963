#include "proxy/server/snapshot.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace scrollgate {
namespace {

std::string text_of(const config::Hsts& hsts) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(hsts.max_age).count();
    return fmt::format("max-age={}{}{}", seconds,
                       hsts.include_subdomains ? "; includeSubDomains" : "",
                       hsts.preload ? "; preload" : "");
}

/// RFC 9110 section 7.6.3: the protocol that a message came by, and who passes it on.
std::array<std::string, 3> via_elements(const std::string& node) {
    const auto element = [&](Version by) { return fmt::format("{} {}", version_text(by), node); };
    return {element(Version::http10), element(Version::http11), element(Version::http2)};
}

/// One of its pools speaks HTTP/2, or may.
bool may_be_refused(const config::Route& route, const std::vector<config::Pool>& pools) {
    return std::any_of(route.pools.begin(), route.pools.end(), [&](const auto& used) {
        const auto pool = std::find_if(pools.begin(), pools.end(),
                                       [&](const auto& one) { return one.name == used.name; });
        return pool != pools.end() && pool->protocol != config::Pool::Protocol::http1;
    });
}

RouteRuntime compile(const config::Route& route, const config::Config& config, Metrics& metrics) {
    const config::Timeouts& defaults = config.timeouts;
    const config::RouteTimeouts& own = route.timeouts;
    RouteRuntime made;
    made.route = &route;
    if (route.cache.enabled) made.cache = &route.cache;
    if (route.rewrite) made.rewrite.emplace(*route.rewrite);
    made.series = metrics.route_series(route.name);
    made.budget = std::make_unique<RetryBudget>(route.failover.budget);
    if (route.hsts) made.hsts = text_of(*route.hsts);
    made.may_be_refused = may_be_refused(route, config.pools);
    made.client_body = own.client_body.value_or(defaults.client_body);
    made.client_write = own.client_write.value_or(defaults.client_write);
    made.connect = own.connect.value_or(defaults.connect);
    made.upstream_response = own.upstream_response.value_or(defaults.upstream_response);
    made.upstream_body = own.upstream_body.value_or(defaults.upstream_body);
    made.request = own.request.value_or(defaults.request);
    made.tunnel_idle = own.tunnel_idle.value_or(defaults.tunnel_idle);
    return made;
}

}  // namespace

Snapshot::Snapshot(std::uint64_t number, std::shared_ptr<const config::Config> from,
                   std::string node_name, WallTime now, Metrics& metrics)
    : id(number),
      loaded_at(now),
      config(std::move(from)),
      node(std::move(node_name)),
      via(via_elements(node)),
      router(config->routes),
      head_limits{config->limits.header_bytes, config->limits.headers, config->limits.uri_bytes} {
    routes.reserve(config->routes.size());
    for (const config::Route& route : config->routes) {
        routes.push_back(compile(route, *config, metrics));
        caches |= routes.back().cache != nullptr;
    }
    for (const config::Pool& pool : config->pools) {
        const std::uint32_t series = metrics.pool_series(pool.name, pool.provider, pool.region);
        pools.emplace(pool.name, PoolRuntime{&pool, series});
        sends_addresses |= pool.proxy_protocol != config::Pool::ProxyProtocol::off;
    }
}

WorkerSnapshot::WorkerSnapshot(std::shared_ptr<const Snapshot> of, const PoolSets& sets,
                               const WorkerSnapshot* before)
    : shared(std::move(of)) {
    config::Self self = shared->config->self;
    self.node = shared->node;
    balancers.reserve(shared->routes.size());
    std::unordered_map<std::string_view, std::shared_ptr<HedgeGate>> known;
    for (std::size_t i = 0; before != nullptr && i < before->hedges.size(); ++i)
        known.emplace(before->shared->routes[i].route->name, before->hedges[i]);
    for (const RouteRuntime& runtime : shared->routes) {
        balancers.emplace_back(*runtime.route, self, shared->config->pools).update(sets);
        const auto old = known.find(runtime.route->name);
        hedges.push_back(old != known.end() ? old->second : std::make_shared<HedgeGate>());
    }
}

}  // namespace scrollgate
