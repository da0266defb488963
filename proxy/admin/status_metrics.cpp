#include "proxy/admin/status_metrics.hpp"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "health/outlier.hpp"
#include "proxy/observe/exposition.hpp"

namespace scrollgate {
namespace {

using Labels = Exposition::Labels;

/// Without the noise of a float that was made a double.
double neat(double value) {
    return std::round(value * 1e6) / 1e6;
}

struct Shown {
    const PoolStatus* pool;
    const EndpointStatus* endpoint;

    [[nodiscard]] Labels labels(Labels more = {}) const {
        more.insert(more.begin(), {{"pool", pool->name}, {"endpoint", endpoint->address}});
        return more;
    }
};

void write_availability(Exposition& page, const Labels& labels,
                        const Availability::Shares& shares) {
    const auto share = [&](const char* window, const std::optional<double>& value) {
        if (!value) return;
        Labels all = labels;
        all.emplace_back("window", window);
        page.add(all, neat(*value));
    };
    share("1h", shares.hour);
    share("24h", shares.day);
    share("30d", shares.month);
}

void write_verdicts(Exposition& page, const std::vector<Shown>& shown) {
    page.gauge("scrollgate_endpoint_score",
               "What an endpoint is worth, from 0 to 1; 0 while it is not in.");
    for (const Shown& one : shown)
        page.add(one.labels(), neat(one.endpoint->score));
    page.gauge("scrollgate_endpoint_score_part",
               "What its score is the product of, each from 0 to 1: check, success, latency, ramp, "
               "dependency.");
    for (const Shown& one : shown) {
        const auto part = [&](const char* name, double value) {
            page.add(one.labels({{"part", name}}), neat(value));
        };
        part("check", one.endpoint->check);
        part("success", one.endpoint->success);
        part("latency", one.endpoint->latency);
        part("ramp", one.endpoint->ramp);
        part("dependency", one.endpoint->dependency);
    }
    page.gauge("scrollgate_endpoint_state",
               "1 for the state that an endpoint is in: in, ejected, unhealthy, standby, drained, "
               "failed.");
    for (const Shown& one : shown)
        page.add(one.labels({{"state", one.endpoint->state}}), 1.0);
    page.gauge("scrollgate_endpoint_latency_seconds",
               "Time to the head of an answer: ewma is what adaptive goes by, p50 and p99 are of "
               "the last 10 to 20 seconds.");
    for (const Shown& one : shown) {
        const auto figure = [&](const char* name, double ms) {
            if (ms > 0) page.add(one.labels({{"figure", name}}), neat(ms / 1000));
        };
        figure("ewma", one.endpoint->ewma_ms);
        figure("p50", one.endpoint->p50_ms);
        figure("p99", one.endpoint->p99_ms);
    }
    page.gauge("scrollgate_endpoint_availability",
               "Share of time in which an endpoint was in, without what operators took out.");
    for (const Shown& one : shown)
        write_availability(page, one.labels(), one.endpoint->availability);
}

void write_counts(Exposition& page, const std::vector<Shown>& shown) {
    page.gauge("scrollgate_endpoint_in_flight", "Requests under way at an endpoint.");
    for (const Shown& one : shown)
        page.add(one.labels(), one.endpoint->in_flight);
    const auto counter = [&](const char* name, const char* help,
                             std::uint64_t EndpointStatus::*value) {
        page.counter(name, help);
        for (const Shown& one : shown)
            page.add(one.labels(), one.endpoint->*value);
    };
    counter("scrollgate_endpoint_requests_total", "Attempts at an endpoint.",
            &EndpointStatus::requests);
    counter("scrollgate_endpoint_failures_total", "Attempts that ended in an error against it.",
            &EndpointStatus::failures);
    counter("scrollgate_endpoint_ejections_total", "Times that live traffic put it out.",
            &EndpointStatus::ejections);
    counter("scrollgate_endpoint_retries_total", "Attempts after others had failed.",
            &EndpointStatus::retries);
    counter("scrollgate_endpoint_hedges_total",
            "Attempts beside others whose answer or connect was late.", &EndpointStatus::hedges);
}

void write_endpoints(Exposition& page, const Status& status, std::size_t most) {
    std::vector<Shown> shown;
    std::size_t left_out = 0;
    for (const PoolStatus& pool : status.pools) {
        for (const EndpointStatus& endpoint : pool.endpoints) {
            if (shown.size() < most) {
                shown.push_back({&pool, &endpoint});
            } else {
                ++left_out;
            }
        }
    }
    write_verdicts(page, shown);
    write_counts(page, shown);
    page.gauge("scrollgate_endpoints_left_out",
               "Endpoints without series of their own, because there are too many.");
    page.add({}, std::uint64_t{left_out});
}

void write_pools(Exposition& page, const Status& status) {
    page.counter("scrollgate_ejections_total",
                 "Times that live traffic put an endpoint out, by pool and reason.");
    for (const PoolStatus& pool : status.pools) {
        for (std::size_t i = 0; i < pool.ejections.size(); ++i) {
            const auto reason = eject_reason_text(static_cast<EjectReason>(i));
            page.add({{"pool", pool.name}, {"reason", std::string(reason)}}, pool.ejections[i]);
        }
    }
    page.gauge("scrollgate_pool_endpoints",
               "Endpoints in service (active) and waiting (standby); wanted by scaling, and of "
               "these pending: not there.");
    for (const PoolStatus& pool : status.pools) {
        const auto count = [&](const char* kind, std::uint32_t value) {
            page.add({{"pool", pool.name}, {"kind", kind}}, std::uint64_t{value});
        };
        count("active", pool.active);
        count("standby", pool.standby);
        count("wanted", pool.scale.wanted);
        count("pending", pool.scale.pending);
    }
    page.gauge("scrollgate_pool_state",
               "1 for the state that a pool is in: in, degraded, out, failed, starting.");
    for (const PoolStatus& pool : status.pools)
        page.add({{"pool", pool.name}, {"state", pool.state}}, 1.0);
    page.gauge("scrollgate_pool_score", "Mean score of a pool's endpoints in service.");
    for (const PoolStatus& pool : status.pools)
        page.add({{"pool", pool.name}}, neat(pool.score));
    page.gauge("scrollgate_pool_share", "Share of all attempts, of about the last ten seconds.");
    for (const PoolStatus& pool : status.pools)
        page.add({{"pool", pool.name}}, neat(pool.share));
    page.gauge("scrollgate_pool_availability", "Share of time in which some endpoint was in.");
    for (const PoolStatus& pool : status.pools)
        write_availability(page, {{"pool", pool.name}}, pool.availability);
    page.gauge("scrollgate_dependency_up", "1 if what a pool depends on answers.");
    for (const PoolStatus& pool : status.pools) {
        for (const HealthStatus::Dependency& one : pool.depends_on)
            page.add({{"pool", pool.name}, {"dependency", one.url}}, one.up ? 1.0 : 0.0);
    }
}

void write_routes(Exposition& page, const Status& status) {
    page.gauge("scrollgate_retry_budget",
               "Attempts beyond the first that a route may make at this moment.");
    for (const RouteStatus& route : status.routes) {
        if (route.has_pools) page.add({{"route", route.name}}, neat(route.budget));
    }
    page.gauge(
        "scrollgate_route_panic",
        "1 while nothing of a route is well, so that what is ejected or unhealthy is tried.");
    for (const RouteStatus& route : status.routes) {
        if (route.has_pools) page.add({{"route", route.name}}, route.panicking ? 1.0 : 0.0);
    }
    page.gauge("scrollgate_availability", "Share of time in which every route had an endpoint.");
    write_availability(page, {}, status.availability);
}

void write_certificates(Exposition& page, const Status& status) {
    page.gauge("scrollgate_certificate_days_left",
               "Whole days until a listener's certificate expires; negative: it has.");
    for (const CertificateStatus& one : status.certificates)
        page.add({{"listener", one.listener}, {"file", one.file}},
                 static_cast<double>(one.days_left));
    page.gauge("scrollgate_pool_tls_unverified",
               "1 where tls.verify is false: anybody may pretend to be the pool's endpoints.");
    for (const PoolStatus& pool : status.pools)
        if (pool.tls == "unverified") page.add({{"pool", pool.name}}, 1.0);
}

void add_lookups(Exposition& page, const LookupTimes::Totals& lookups) {
    std::vector<double> bounds;
    std::vector<std::uint64_t> counts;
    std::uint64_t below = 0;
    for (const LookupTimes::Totals::Bucket& bucket : lookups.buckets) {
        bounds.push_back(bucket.seconds);
        counts.push_back(bucket.count - std::exchange(below, bucket.count));
    }
    counts.push_back(lookups.count - below);
    page.add({}, bounds, counts, lookups.seconds);
}

void write_cache(Exposition& page, const CacheStatus& cache) {
    const CacheNumbers& store = cache.store;
    const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
        page.gauge(name, help);
        page.add({}, value);
    };
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        page.counter(name, help);
        page.add({}, value);
    };
    gauge("scrollgate_cache_bytes",
          "Memory charged to the cache, with all that it takes to find "
          "what is stored.",
          store.bytes);
    gauge("scrollgate_cache_capacity_bytes", "What it may take.", store.capacity);
    gauge("scrollgate_cache_content_bytes", "Content that is stored, as clients get it.",
          store.bytes_raw);
    gauge("scrollgate_cache_entries", "Stored responses.", store.entries);
    gauge("scrollgate_cache_fills", "Fills under way.", cache.fills);
    gauge("scrollgate_cache_waiting", "Requests that wait for a fill.", cache.waiting);
    counter("scrollgate_cache_evictions_total", "Responses that gave way to others.",
            store.evictions);
    counter("scrollgate_cache_expirations_total",
            "Responses that left because their time was over.", store.expirations);
    counter("scrollgate_cache_writes_total", "Responses that were stored.", store.writes);
    counter("scrollgate_cache_purged_total", "Responses that were purged.", store.purged);
    counter("scrollgate_cache_collapsed_total", "Requests that another one's fill answered.",
            cache.collapsed);
    page.histogram("scrollgate_cache_lookup_seconds", "Time to look into the store, by a sample.");
    add_lookups(page, cache.lookups);
    page.gauge("scrollgate_cache_miss_ratio",
               "Share of look-ups that would miss with so many times the memory, or, where that "
               "is the limit, max_entries.");
    for (const CacheStatus::Point& point : cache.curve)
        page.add({{"memory", fmt::format("{:g}", point.times)}}, neat(point.miss_ratio));
}

}  // namespace

std::string status_metrics(const Status& status, std::size_t most) {
    Exposition page;
    write_endpoints(page, status, most);
    write_pools(page, status);
    write_routes(page, status);
    write_certificates(page, status);
    write_cache(page, status.cache);
    if (status.cache.tier) write_tier(page, *status.cache.tier);
    return page.text();
}

}  // namespace scrollgate
