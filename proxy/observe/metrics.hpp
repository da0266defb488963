// Metrics: counters and histograms per worker, summed when somebody asks.
//
// A worker writes only its own shard (relaxed atomics with one writer: plain load and store, no
// locked instruction); the control thread reads all shards. A series is registered by name once per
// Snapshot and counted by its index, so a request costs no look-up; equal names keep their index
// and their counts over reloads. Cardinality is bounded by the configuration, by 16 status codes
// per route, and by 65,536 series in all (later names count as "other").
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/http2/flood_watch.hpp"
#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

/// What a worker counts besides exchanges. Written by that worker only.
struct alignas(64) ConnectionGauges {
    std::atomic<std::int64_t> client_active{0};    ///< accepted and not closed
    std::atomic<std::int64_t> client_idle{0};      ///< of these: between two requests
    std::atomic<std::int64_t> upstream_active{0};  ///< open
    std::atomic<std::int64_t> upstream_idle{0};    ///< of these: in the pool
    std::atomic<std::int64_t> tunnels{0};
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> shed{0};  ///< closed at once: limits or descriptors
    /// HTTP/2 connections that were ended for a flood, by http2::Flood.
    std::array<std::atomic<std::uint64_t>, http2::floods> floods{};
};

/// Adds to a gauge or counter that only the calling thread writes: no locked instruction needed.
template <class T>
void add(std::atomic<T>& gauge, std::type_identity_t<T> by) noexcept {
    gauge.store(gauge.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

/// The sum of all workers' gauges.
struct ConnectionTotals {
    std::int64_t client_active = 0, client_idle = 0, upstream_active = 0, upstream_idle = 0,
                 tunnels = 0;
    std::uint64_t accepted = 0, shed = 0;
    std::array<std::uint64_t, http2::floods> floods{};
};

struct RouteTotals {
    std::uint64_t requests = 0, retries = 0, hedges = 0;
    std::uint64_t hits = 0, stale = 0, misses = 0, passes = 0;  ///< by CacheResult
    std::uint64_t fills = 0;  ///< background exchanges; not among the requests
    std::uint64_t collapsed = 0;
    std::uint64_t bytes_hit = 0, bytes_missed = 0;  ///< of content: hits and stale, and others
};

class Metrics {
  public:
    /// The series of requests that no route took; its name is "-".
    static constexpr std::uint32_t no_route = 0;

    explicit Metrics(unsigned workers);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // -- control thread, before the Snapshot that carries the index is published

    /// The index of a route's series; the same for the same name, always.
    [[nodiscard]] std::uint32_t route_series(std::string_view name);
    /// The index of a pool's series. Provider and region are labels: other ones, other series.
    [[nodiscard]] std::uint32_t pool_series(std::string_view pool, std::string_view provider,
                                            std::string_view region);

    // -- worker `worker`'s thread only

    /// Counts one ended exchange. Tunnels (status 101) are left out of the duration.
    void observe(unsigned worker, std::uint32_t route, const ExchangeRecord& record) noexcept;
    /// Counts one ended attempt; no error means that it gave a response.
    void attempt(unsigned worker, std::uint32_t pool, std::optional<ErrorKind> error,
                 Duration took) noexcept;
    /// For the worker to write.
    [[nodiscard]] ConnectionGauges& connections(unsigned worker) noexcept;

    // -- control thread

    /// Counts one load of a configuration, the first one included.
    void config_loaded(bool ok, WallTime when) noexcept;
    [[nodiscard]] RouteTotals route_totals(std::uint32_t route) const noexcept;
    [[nodiscard]] ConnectionTotals connection_totals() const noexcept;
    /// Prometheus text format 0.0.4 of everything. `log_dropped`: AccessLog::dropped().
    [[nodiscard]] std::string text(std::uint64_t log_dropped) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
