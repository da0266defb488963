#include "proxy/admin/status.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>

namespace scrollgate {
namespace {

namespace json = boost::json;

json::object endpoint_json(const EndpointStatus& endpoint) {
    return {{"address", endpoint.address},   {"zone", endpoint.zone},
            {"state", endpoint.state},       {"in_flight", endpoint.in_flight},
            {"requests", endpoint.requests}, {"failures", endpoint.failures},
            {"retries", endpoint.retries},   {"connections", endpoint.connections}};
}

json::object pool_json(const PoolStatus& pool) {
    json::array endpoints;
    for (const EndpointStatus& endpoint : pool.endpoints) {
        endpoints.push_back(endpoint_json(endpoint));
    }
    return {{"name", pool.name},
            {"provider", pool.provider},
            {"region", pool.region},
            {"state", pool.state},
            {"endpoints", std::move(endpoints)}};
}

json::object connections_json(const ConnectionTotals& totals) {
    return {{"client", json::object{{"open", totals.client_active},
                                    {"idle", totals.client_idle},
                                    {"accepted", totals.accepted},
                                    {"shed", totals.shed}}},
            {"upstream",
             json::object{{"open", totals.upstream_active}, {"idle", totals.upstream_idle}}},
            {"tunnels", totals.tunnels}};
}

}  // namespace

std::string_view state_text(Status::State state) noexcept {
    switch (state) {
        case Status::State::starting:
            return "starting";
        case Status::State::ready:
            return "ready";
        case Status::State::draining:
            return "draining";
    }
    return "starting";
}

std::string rfc3339(WallTime when) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string status_json(const Status& status) {
    json::array pools;
    for (const PoolStatus& pool : status.pools)
        pools.push_back(pool_json(pool));
    json::array routes;
    for (const RouteStatus& route : status.routes) {
        routes.push_back(json::object{
            {"name", route.name}, {"requests", route.requests}, {"retries", route.retries}});
    }
    const auto uptime = std::chrono::floor<std::chrono::seconds>(status.uptime).count();
    const json::object all{{"version", status.version},
                           {"uptime_s", uptime},
                           {"state", state_text(status.state)},
                           {"node", status.node},
                           {"snapshot", json::object{{"id", status.snapshot_id},
                                                     {"loaded_at", rfc3339(status.loaded_at)}}},
                           {"pools", std::move(pools)},
                           {"routes", std::move(routes)},
                           {"connections", connections_json(status.connections)},
                           {"memory", json::object{{"resident", status.memory_bytes}}}};
    return json::serialize(all);
}

}  // namespace scrollgate
