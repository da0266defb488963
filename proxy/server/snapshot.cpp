#include "proxy/server/snapshot.hpp"

#include <fmt/format.h>

namespace scrollgate {
namespace {

std::string text_of(const config::Hsts& hsts) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(hsts.max_age).count();
    return fmt::format("max-age={}{}{}", seconds,
                       hsts.include_subdomains ? "; includeSubDomains" : "",
                       hsts.preload ? "; preload" : "");
}

RouteRuntime compile(const config::Route& route, const config::Timeouts& defaults,
                     Metrics& metrics) {
    const config::RouteTimeouts& own = route.timeouts;
    RouteRuntime made;
    made.route = &route;
    if (route.cache.enabled) made.cache = &route.cache;
    if (route.rewrite) made.rewrite.emplace(*route.rewrite);
    made.series = metrics.route_series(route.name);
    made.budget = std::make_unique<RetryBudget>(route.failover.budget);
    if (route.hsts) made.hsts = text_of(*route.hsts);
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
      router(config->routes),
      head_limits{config->limits.header_bytes, config->limits.headers, config->limits.uri_bytes} {
    routes.reserve(config->routes.size());
    for (const config::Route& route : config->routes) {
        routes.push_back(compile(route, config->timeouts, metrics));
    }
    for (const config::Pool& pool : config->pools) {
        const std::uint32_t series = metrics.pool_series(pool.name, pool.provider, pool.region);
        pools.emplace(pool.name, PoolRuntime{&pool, series});
        sends_addresses |= pool.proxy_protocol != config::Pool::ProxyProtocol::off;
    }
}

WorkerSnapshot::WorkerSnapshot(std::shared_ptr<const Snapshot> of, const PoolSets& sets)
    : shared(std::move(of)) {
    config::Self self = shared->config->self;
    self.node = shared->node;
    balancers.reserve(shared->routes.size());
    for (const RouteRuntime& runtime : shared->routes) {
        balancers.emplace_back(*runtime.route, self, shared->config->pools).update(sets);
        hedges.emplace_back();
    }
}

}  // namespace scrollgate
