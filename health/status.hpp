// HealthStatus: what health knows, as plain values: for status, metrics and the commands' answers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "balancer/endpoint_state.hpp"
#include "health/availability.hpp"
#include "health/outlier.hpp"
#include "health/scaler.hpp"

namespace scrollgate {

struct HealthStatus {
    struct Endpoint {
        std::string address;  ///< "10.0.1.10:8080"
        Standing standing = Standing::in;
        std::string why;       ///< of the standing
        bool standby = false;  ///< configured so
        float score = 1, check = 1, success = 1, latency = 1, ramp = 1, dependency = 1;
        double recent_us = 0, usual_us = 0;  ///< latency now, and what is usual; 0: unknown
        Availability::Shares availability;
    };
    struct Dependency {
        std::string url;  ///< as it may be shown
        bool up = true;
        std::string why;
    };
    struct Pool {
        std::string name;
        /// "in", or "degraded": the score is below a half; "out": nothing is in; "failed".
        std::string state;
        std::string why;
        double score = 0;  ///< mean over its endpoints in service, by weight
        double share = 0;  ///< of all pools' attempts, about the last ten seconds
        std::uint32_t active = 0, standby = 0;  ///< endpoints in service, and waiting
        ScaleState scale;
        std::vector<Dependency> depends_on;
        Availability::Shares availability;  ///< of time with an endpoint in
        EjectionCounts ejections{};         ///< since the pool is known
        std::vector<Endpoint> endpoints;

        /// The endpoint of that address, or nullptr.
        [[nodiscard]] const Endpoint* endpoint(std::string_view address) const noexcept;
    };
    struct Route {
        std::string name;
        bool panicking = false;  ///< nothing is well: what verdicts have put out is tried
    };
    std::vector<Pool> pools;            ///< in the file's order
    std::vector<Route> routes;          ///< likewise; those that have pools
    Availability::Shares availability;  ///< of time in which every route had an endpoint

    /// The pool of that name, or nullptr.
    [[nodiscard]] const Pool* pool(std::string_view name) const noexcept;
    /// Whether the route of that name panics; false if nobody knows it.
    [[nodiscard]] bool panicking(std::string_view route) const noexcept;
};

}  // namespace scrollgate
