// Metrics: counters and histograms per worker, summed when somebody asks.
//
// A worker writes only its own shard (relaxed atomics with one writer: plain load and store, no
// locked instruction); the control thread reads all shards. Series are keyed by route name and
// endpoint identity, so they outlive a reload. Cardinality is bounded by the configuration.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

/// What a worker counts besides exchanges.
struct ConnectionGauges {
    std::atomic<std::int64_t> client_active{0};    ///< accepted and not closed
    std::atomic<std::int64_t> client_idle{0};      ///< of these: between two requests
    std::atomic<std::int64_t> upstream_active{0};
    std::atomic<std::int64_t> upstream_idle{0};
    std::atomic<std::int64_t> tunnels{0};
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> shed{0};            ///< closed at once: limits or descriptors
};

class Metrics {
  public:
    explicit Metrics(unsigned workers);
    ~Metrics();

    /// Counts one ended exchange. Worker `worker`'s thread only. `record.route_name` must stay the
    /// name of a configured route; "-" counts requests without one.
    void observe(unsigned worker, const ExchangeRecord& record) noexcept;
    /// Counts one ended attempt; `outcome` is "ok" or an Error's reason. Same thread rule.
    void attempt(unsigned worker, const Endpoint& endpoint, std::string_view outcome,
                 Duration took, bool retry) noexcept;
    [[nodiscard]] ConnectionGauges& connections(unsigned worker) noexcept;

    /// Prometheus text format 0.0.4 of everything. Control thread.
    [[nodiscard]] std::string text() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
