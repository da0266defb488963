#include "proxy/admin/status.hpp"

#include <cmath>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>

namespace scrollgate {
namespace {

namespace json = boost::json;

/// Figures for people: no more digits than mean something.
double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

json::value known(double value) {
    return value > 0 ? json::value(rounded(value)) : json::value(nullptr);
}

json::object availability_json(const Availability::Shares& shares) {
    const auto share = [](const std::optional<double>& part) {
        return part ? json::value(std::round(*part * 1e6) / 1e6) : json::value(nullptr);
    };
    return {{"1h", share(shares.hour)}, {"24h", share(shares.day)}, {"30d", share(shares.month)}};
}

json::object endpoint_json(const EndpointStatus& endpoint) {
    return {{"address", endpoint.address},
            {"zone", endpoint.zone},
            {"state", endpoint.state},
            {"why", endpoint.why},
            {"standby", endpoint.standby},
            {"score", rounded(endpoint.score)},
            {"parts", json::object{{"check", rounded(endpoint.check)},
                                   {"success", rounded(endpoint.success)},
                                   {"latency", rounded(endpoint.latency)},
                                   {"ramp", rounded(endpoint.ramp)},
                                   {"dependency", rounded(endpoint.dependency)}}},
            {"latency_ms", json::object{{"ewma", known(endpoint.ewma_ms)},
                                        {"p50", known(endpoint.p50_ms)},
                                        {"p99", known(endpoint.p99_ms)}}},
            {"in_flight", endpoint.in_flight},
            {"requests", endpoint.requests},
            {"failures", endpoint.failures},
            {"ejections", endpoint.ejections},
            {"retries", endpoint.retries},
            {"hedges", endpoint.hedges},
            {"connections", endpoint.connections},
            {"availability", availability_json(endpoint.availability)}};
}

json::object pool_json(const PoolStatus& pool) {
    json::array endpoints, depends_on;
    for (const EndpointStatus& endpoint : pool.endpoints)
        endpoints.push_back(endpoint_json(endpoint));
    for (const HealthStatus::Dependency& one : pool.depends_on)
        depends_on.push_back(json::object{{"url", one.url}, {"up", one.up}, {"why", one.why}});
    return {{"name", pool.name},
            {"provider", pool.provider},
            {"region", pool.region},
            {"tls", pool.tls},
            {"state", pool.state},
            {"why", pool.why},
            {"score", rounded(pool.score)},
            {"share", rounded(pool.share)},
            {"active", pool.active},
            {"standby", pool.standby},
            {"scale", json::object{{"wanted", pool.scale.wanted},
                                   {"in_service", pool.scale.in_service},
                                   {"pending", pool.scale.pending},
                                   {"why", pool.scale.why}}},
            {"depends_on", std::move(depends_on)},
            {"availability", availability_json(pool.availability)},
            {"endpoints", std::move(endpoints)}};
}

json::object counts_json(const CacheCounts& counts) {
    return {{"hits", counts.hits},
            {"misses", counts.misses},
            {"stale", counts.stale},
            {"passes", counts.passes}};
}

json::object route_json(const RouteStatus& route) {
    json::object made{{"name", route.name},       {"requests", route.requests},
                      {"retries", route.retries}, {"hedges", route.hedges},
                      {"budget", nullptr},        {"panic", route.panicking}};
    if (route.has_pools) made["budget"] = rounded(route.budget);
    made["cache"] = route.cache ? json::value(counts_json(*route.cache)) : json::value(nullptr);
    return made;
}

json::object cache_json(const CacheStatus& cache) {
    const auto share = [](const std::optional<double>& part) {
        return part ? json::value(std::round(*part * 1e4) / 1e4) : json::value(nullptr);
    };
    json::array curve;
    for (const CacheStatus::Point& point : cache.curve)
        curve.push_back(json::object{{"times", point.times},
                                     {"miss_ratio", std::round(point.miss_ratio * 1e4) / 1e4}});
    const CacheNumbers& store = cache.store;
    json::object made{{"entries", store.entries},
                      {"bytes", store.bytes},
                      {"bytes_raw", store.bytes_raw},
                      {"capacity", store.capacity},
                      {"hit_rate", share(cache.hit_rate())},
                      {"byte_hit_rate", share(cache.byte_hit_rate())},
                      {"evictions", store.evictions},
                      {"expirations", store.expirations},
                      {"writes", store.writes},
                      {"collapsed", cache.collapsed},
                      {"purged", store.purged},
                      {"fills", cache.fills},
                      {"waiting", cache.waiting},
                      {"lookup_us", json::object{{"p50", known(cache.lookup_p50_us)},
                                                 {"p99", known(cache.lookup_p99_us)}}},
                      {"limited_by", store.full_by_number ? "max_entries" : "memory"},
                      {"miss_ratio_curve", std::move(curve)},
                      {"redis", nullptr}};
    if (cache.tier) made["redis"] = tier_json(*cache.tier);
    for (const auto& count : counts_json(cache.counts))
        made[count.key()] = count.value();
    return made;
}

json::object connections_json(const ConnectionTotals& totals) {
    return {{"client", json::object{{"open", totals.client_active},
                                    {"idle", totals.client_idle},
                                    {"accepted", totals.accepted},
                                    {"shed", totals.shed}}},
            {"upstream",
             json::object{{"open", totals.upstream_active}, {"idle", totals.upstream_idle}}},
            {"tunnels", totals.tunnels},
            {"tls", json::object{{"handshaking", totals.handshaking},
                                 {"handshakes", totals.handshakes},
                                 {"resumed", totals.resumed},
                                 {"failed", totals.handshakes_failed},
                                 {"late", totals.handshakes_late},
                                 {"shed", totals.handshakes_shed}}}};
}

json::object certificate_json(const CertificateStatus& one) {
    return {{"listener", one.listener},
            {"file", one.file},
            {"names", json::array(one.names.begin(), one.names.end())},
            {"expires", rfc3339(one.expires)},
            {"days_left", one.days_left}};
}

/// `part` of `part` and `rest`; nothing of nothing.
std::optional<double> share_of(std::uint64_t part, std::uint64_t rest) noexcept {
    if (part + rest == 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(part + rest);
}

}  // namespace

std::optional<double> CacheStatus::hit_rate() const noexcept {
    return share_of(counts.hits + counts.stale, counts.misses);
}

std::optional<double> CacheStatus::byte_hit_rate() const noexcept {
    return share_of(bytes_hit, bytes_missed);
}

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
    json::array certificates;
    for (const CertificateStatus& one : status.certificates)
        certificates.push_back(certificate_json(one));
    json::array routes;
    for (const RouteStatus& route : status.routes)
        routes.push_back(route_json(route));
    const auto uptime = std::chrono::floor<std::chrono::seconds>(status.uptime).count();
    const json::object all{{"version", status.version},
                           {"uptime_s", uptime},
                           {"state", state_text(status.state)},
                           {"node", status.node},
                           {"snapshot", json::object{{"id", status.snapshot_id},
                                                     {"loaded_at", rfc3339(status.loaded_at)}}},
                           {"pools", std::move(pools)},
                           {"routes", std::move(routes)},
                           {"certificates", std::move(certificates)},
                           {"cache", cache_json(status.cache)},
                           {"connections", connections_json(status.connections)},
                           {"memory", json::object{{"resident", status.memory_bytes},
                                                   {"cache", status.cache.store.bytes},
                                                   {"cache_limit", status.cache.store.capacity}}},
                           {"availability", availability_json(status.availability)}};
    return json::serialize(all);
}

}  // namespace scrollgate
