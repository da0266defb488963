// Status: what `GET /api/v1/status` tells, as plain values, and its JSON.
//
// Filled by the server on the control thread. A feature that is not built has no field here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "proxy/observe/metrics.hpp"

namespace scrollgate {

struct EndpointStatus {
    std::string address;  ///< "10.0.1.10:8080"
    std::string zone;
    std::string state;  ///< "up"; other words come with health checks
    std::uint64_t in_flight = 0, requests = 0, failures = 0, retries = 0, connections = 0;
};

struct PoolStatus {
    std::string name, provider, region;
    std::string state;  ///< "up", or "unresolved" while no address is known
    std::vector<EndpointStatus> endpoints;
};

struct RouteStatus {
    std::string name;
    std::uint64_t requests = 0, retries = 0;
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
    ConnectionTotals connections;
    std::uint64_t memory_bytes = 0;  ///< resident
};

/// "starting", "ready", "draining".
[[nodiscard]] std::string_view state_text(Status::State state) noexcept;

/// The contract's object. Text that is not UTF-8 must not be in it.
[[nodiscard]] std::string status_json(const Status& status);

/// RFC 3339 in UTC, to the second: "2026-03-02T03:04:05Z".
[[nodiscard]] std::string rfc3339(WallTime when);

}  // namespace scrollgate
