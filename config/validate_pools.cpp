// What only the whole file can tell about pools: doubled endpoints, checks that cannot work,
// capacity that cannot change.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>

#include "config/scalars.hpp"
#include "config/validate.hpp"

namespace scrollgate::config {
void Validator::pools() {
    std::set<std::string_view> used;
    for (const config::Route& route : config_.routes)
        for (const RoutePool& pool : route.pools)
            used.insert(pool.name);
    for (const Pool& pool : config_.pools) {
        const std::string path = "pools." + pool.name;
        const std::string list = path + ".endpoints";
        if (pool.endpoints.empty() && reader_.present(list) && !reported(list))
            error(list, "a pool needs at least one endpoint");
        pool_addresses(pool, path);
        pool_limits(pool, path + ".limits");
        pool_tls(pool, path + ".tls");
        pool_protocol(pool, path);
        probes_tls(pool, path);
        pool_check(pool, path + ".health_check");
        pool_capacity(pool, path + ".auto");
        if (!used.contains(pool.name) && !reported("routes"))
            warning(path, "no route uses this pool");
    }
}

/// No address stands twice, be it in service or on standby.
void Validator::pool_addresses(const Pool& pool, const std::string& path) {
    std::map<std::string, std::string> seen;
    const auto look = [&](const std::vector<Endpoint>& endpoints, std::string_view list) {
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            const Endpoint& endpoint = endpoints[i];
            if (endpoint.host.empty()) continue;
            const std::string at = fmt::format("{}[{}]", list, i);
            const auto [first, fresh] =
                seen.emplace(fmt::format("{}:{}", in_lower_case(endpoint.host), endpoint.port), at);
            if (fresh) continue;
            const bool other_list = !first->second.starts_with(list);
            error(fmt::format("{}.{}", path, at),
                  fmt::format("{} is {} already; {}", quoted(endpoint.address), first->second,
                              other_list ? "an endpoint is in service or on standby, not both"
                                         : "for a larger share use weight"));
        }
    };
    look(pool.endpoints, "endpoints");
    look(pool.standby, "standby");
}

/// An endpoint never gets more than its whole pool may.
void Validator::pool_limits(const Pool& pool, const std::string& path) {
    const auto look = [&](std::string_view key, std::uint64_t endpoint, std::uint64_t whole) {
        if (endpoint == limits::unlimited || endpoint <= whole) return;
        warning(fmt::format("{}.endpoint.{}", path, key),
                fmt::format("{} for one endpoint never counts: the whole pool's limit is {}",
                            endpoint, whole));
    };
    look("connections", pool.limits.endpoint.connections, pool.limits.connections);
    look("in_flight", pool.limits.endpoint.in_flight, pool.limits.in_flight);
}

void Validator::pool_check(const Pool& pool, const std::string& path) {
    if (!pool.health_check || reported(path)) return;
    const HealthCheck& check = *pool.health_check;
    const int ways = (check.path.empty() ? 0 : 1) + (check.grpc ? 1 : 0) + (check.tcp ? 1 : 0);
    if (ways == 0) {
        error(path, "a check needs path, such as /healthz, grpc: \"\", or tcp: true");
        return;
    }
    if (check.timeout > limits::check_patience * check.interval) {
        const bool given = reader_.present(path + ".timeout");
        warning(path + (given ? ".timeout" : ".interval"),
                fmt::format("an endpoint that hangs is found only after {} timeouts of {}, though "
                            "interval is {}; give a shorter timeout",
                            check.unhealthy_after, duration_text(check.timeout),
                            duration_text(check.interval)));
    }
    if (ways > 1) {
        error(path + (check.path.empty() ? ".grpc" : ".path"),
              "only one of path, grpc and tcp: true is possible");
        return;
    }
    if (check.grpc && pool.protocol == Pool::Protocol::http1 &&
        std::any_of(pool.endpoints.begin(), pool.endpoints.end(), std::mem_fn(&Endpoint::tls)))
        error(path + ".grpc",
              "gRPC is spoken over HTTP/2: give the pool protocol: h2 or protocol: auto");
    if (!check.path.empty()) return;
    for (const char* key : {"expect", "body"})
        if (reader_.present(fmt::format("{}.{}", path, key)))
            error(fmt::format("{}.{}", path, key),
                  check.tcp
                      ? "with tcp: true nothing is asked for, so there is no answer to look at"
                      : "what passes with grpc is SERVING, and nothing else");
}

void Validator::pool_capacity(const Pool& pool, const std::string& path) {
    if (!pool.auto_scale || reported(path)) return;
    const AutoScale& scale = *pool.auto_scale;
    if (scale.max_active < scale.min_active) {
        const bool given = reader_.present(path + ".max_active");
        error(path + (given ? ".max_active" : ".min_active"),
              fmt::format("max_active ({}) is less than min_active ({})", scale.max_active,
                          scale.min_active));
    }
    if (pool.standby.empty() && !pool.webhook)
        warning(path, "has nothing to scale: the pool has neither standby endpoints nor a webhook");
}

}  // namespace scrollgate::config
