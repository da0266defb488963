// Status: what `GET /api/v1/status` tells, as plain values, and its JSON.
//
// Filled by the server on the control thread; the metrics of pools and routes are made of it, too.
// A feature that is not built has no field here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cache/store/store.hpp"
#include "core/clock.hpp"
#include "health/status.hpp"
#include "proxy/admin/tier_status.hpp"
#include "proxy/caching/lookup_times.hpp"
#include "proxy/observe/metrics.hpp"

namespace scrollgate {

struct EndpointStatus {
    std::string address;  ///< "10.0.1.10:8080"
    std::string zone;
    std::string state;     ///< standing_text(), as of now
    std::string why;       ///< of the state; as of health's last word, at most a second old
    bool standby = false;  ///< configured so
    /// The score is 0 while it is not in, whatever its parts, of which it is the product.
    double score = 1, check = 1, success = 1, latency = 1, ramp = 1, dependency = 1;
    double ewma_ms = 0, p50_ms = 0, p99_ms = 0;  ///< to the final head; 0: unknown
    std::uint64_t in_flight = 0, requests = 0, failures = 0, ejections = 0, retries = 0, hedges = 0,
                  connections = 0;
    Availability::Shares availability;
};

struct PoolStatus {
    std::string name, provider, region;
    std::string tls;         ///< "off", "verified", "pinned" or "unverified"
    std::string state, why;  ///< as in HealthStatus; "starting" before health's first word
    double score = 0, share = 0;
    std::uint32_t active = 0, standby = 0;
    ScaleState scale;
    std::vector<HealthStatus::Dependency> depends_on;
    Availability::Shares availability;
    EjectionCounts ejections{};
    std::vector<EndpointStatus> endpoints;
};

/// What a cache did for requests, of one route or all.
struct CacheCounts {
    std::uint64_t hits = 0, stale = 0, misses = 0, passes = 0;
};

struct RouteStatus {
    std::string name;
    std::uint64_t requests = 0, retries = 0, hedges = 0;
    bool has_pools = true;               ///< else it redirects or answers by itself
    double budget = 0;                   ///< attempts beyond the first that it may make now
    bool panicking = false;              ///< nothing is well: what verdicts have put out is tried
    std::optional<CacheCounts> cache{};  ///< nothing: the route has none
};

struct CacheStatus {
    CacheNumbers store;
    CacheCounts counts;
    std::uint64_t bytes_hit = 0, bytes_missed = 0;  ///< content sent from it, and past it
    std::uint64_t collapsed = 0;                    ///< requests that another one's fill answered
    std::uint64_t fills = 0, waiting = 0;  ///< fills under way, and requests that wait for them
    double lookup_p50_us = 0, lookup_p99_us = 0;  ///< 0: none has been timed
    LookupTimes::Totals lookups;
    /// What share of look-ups would miss with so many times what limits the store.
    struct Point {
        double times = 1, miss_ratio = 0;
    };
    std::vector<Point> curve;        ///< empty: not known yet
    std::optional<TierStatus> tier;  ///< nothing: there is no Redis

    /// Share of the requests that looked into it that it answered; nothing: none did.
    [[nodiscard]] std::optional<double> hit_rate() const noexcept;
    [[nodiscard]] std::optional<double> byte_hit_rate() const noexcept;
};

/// A certificate that a listener shows.
struct CertificateStatus {
    std::string listener, file;
    std::vector<std::string> names;
    WallTime expires{};
    long days_left = 0;  ///< negative: expired
};

struct Status {
    enum class State : std::uint8_t { starting, ready, draining };

    std::string version, node;
    Duration uptime{};
    State state = State::starting;
    std::uint64_t snapshot_id = 0;
    WallTime loaded_at{};           ///< when the Snapshot in use was made
    std::vector<PoolStatus> pools;  ///< in the file's order, as the routes
    std::vector<RouteStatus> routes;
    std::vector<CertificateStatus> certificates;
    CacheStatus cache;
    ConnectionTotals connections;
    std::uint64_t memory_bytes = 0;     ///< resident
    Availability::Shares availability;  ///< of time in which every route had an endpoint
};

/// "starting", "ready", "draining".
[[nodiscard]] std::string_view state_text(Status::State state) noexcept;

/// The contract's object. Text that is not UTF-8 must not be in it.
[[nodiscard]] std::string status_json(const Status& status);

/// RFC 3339 in UTC, to the second: "2026-03-02T03:04:05Z".
[[nodiscard]] std::string rfc3339(WallTime when);

}  // namespace scrollgate
