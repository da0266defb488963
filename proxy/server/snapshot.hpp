// Snapshot: one loaded configuration, compiled for the data path. Immutable; all workers read it.
// WorkerSnapshot: a worker's own reference to it with the worker's balancers; an Exchange keeps the
// one that it started with, counted without atomics.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "balancer/levels.hpp"
#include "balancer/retry_budget.hpp"
#include "config/model.hpp"
#include "core/http1/head_parser.hpp"
#include "proxy/observe/metrics.hpp"
#include "proxy/pipeline/hedge_gate.hpp"
#include "proxy/routing/router.hpp"
#include "proxy/routing/transform.hpp"

namespace scrollgate {

/// A route with everything that a request needs, merged and compiled.
struct RouteRuntime {
    const config::Route* route = nullptr;
    const config::RouteCache* cache = nullptr;  ///< null: the route has none
    std::optional<PathRewrite> rewrite;
    std::uint32_t series = Metrics::no_route;  ///< where its requests are counted
    std::unique_ptr<RetryBudget> budget;       ///< of all workers
    std::string hsts;                          ///< value of Strict-Transport-Security; empty: none
    bool may_be_refused = false;               ///< a pool of it may speak HTTP/2
    Duration client_body, client_write, connect, upstream_response, upstream_body, request,
        tunnel_idle;
};

/// A pool with the index of its series.
struct PoolRuntime {
    const config::Pool* pool = nullptr;
    std::uint32_t series = 0;
};

struct Snapshot {
    /// Compiles `config`. Control thread. Throws std::invalid_argument if the loader let a bad
    /// regex pass.
    Snapshot(std::uint64_t number, std::shared_ptr<const config::Config> from,
             std::string node_name, WallTime now, Metrics& metrics);

    /// The pool of that name; it exists.
    [[nodiscard]] const PoolRuntime& pool(std::string_view name) const {
        return pools.find(name)->second;
    }

    std::uint64_t id;
    WallTime loaded_at;
    std::shared_ptr<const config::Config> config;
    std::string node;                ///< our name in Via
    std::array<std::string, 3> via;  ///< our element of Via, by Version
    Router router;
    std::vector<RouteRuntime> routes;  ///< in the order of config->routes
    std::unordered_map<std::string_view, PoolRuntime> pools;
    http1::HeadLimits head_limits;
    bool caches = false;           ///< a route has a cache
    bool sends_addresses = false;  ///< a pool's endpoints get PROXY headers
};

struct WorkerSnapshot : boost::intrusive_ref_counter<WorkerSnapshot, boost::thread_unsafe_counter> {
    /// `before` is what the worker had until now, if anything: what is usual for its routes goes
    /// on.
    WorkerSnapshot(std::shared_ptr<const Snapshot> of, const PoolSets& sets,
                   const WorkerSnapshot* before);

    const std::shared_ptr<const Snapshot> shared;
    std::vector<RouteBalancer> balancers;            ///< by route index
    std::vector<std::shared_ptr<HedgeGate>> hedges;  ///< likewise
};
using WorkerSnapshotRef = boost::intrusive_ptr<WorkerSnapshot>;

}  // namespace scrollgate
