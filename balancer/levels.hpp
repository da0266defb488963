// From a route's pools to one endpoint: priority levels of weighted targets, and the choice.
//
// A level is used up (every target of it tried) before the next one is looked at. A pool's weight
// is shared among its endpoints by their own weights, so it does not grow with the pool's size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balancer/endpoint.hpp"
#include "balancer/policy.hpp"
#include "config/model.hpp"
#include "core/rng.hpp"

namespace scrollgate {

/// All targets of a route, ordered by level. Immutable; keeps its endpoints alive.
class RouteTargets {
  public:
    /// Pools that `sets` does not know, and empty ones, give no targets; their level stays.
    RouteTargets(const std::vector<config::RoutePool>& pools, const PoolSets& sets);

    /// How many priorities the route's pools have: the same for every `sets`.
    [[nodiscard]] std::size_t levels() const noexcept { return ends_.size(); }
    /// The targets of one level, lowest priority number first; pools in the route's order.
    [[nodiscard]] std::span<const Target> level(std::size_t index) const noexcept;
    /// No endpoint at all: names that were never resolved, or empty pools.
    [[nodiscard]] bool empty() const noexcept { return targets_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }

  private:
    std::vector<std::shared_ptr<const EndpointSet>> held_;
    std::vector<Target> targets_;
    std::vector<std::size_t> ends_;  ///< of each level in targets_
};

/// Chooses endpoints for one route on one worker.
class RouteBalancer {
  public:
    /// Has no targets until update(). Keeps no reference to `route`.
    explicit RouteBalancer(const config::Route& route);

    /// The pools' current sets, at the start and whenever one of them changes. What the policies
    /// remember about an endpoint's identity stays.
    void update(const PoolSets& sets);

    /// An endpoint for the next attempt, or null if all were tried (or there is none). `tried`
    /// holds the endpoints of this exchange's earlier attempts; they are recognised by identity,
    /// so it may span an update(). What is returned lives as long as targets() of this moment is
    /// held. Allocates nothing.
    [[nodiscard]] const Endpoint* pick(std::span<const Endpoint* const> tried, Rng& rng);

    /// Never null. An Exchange holds a copy from its first pick to its log event; the count it
    /// touches belongs to this worker alone.
    [[nodiscard]] const std::shared_ptr<const RouteTargets>& targets() const noexcept {
        return targets_;
    }

  private:
    /// Sets the marks of those targets of `level` that were tried.
    void mark(std::span<const Target> level, std::span<const Endpoint* const> tried, bool to);

    std::vector<config::RoutePool> pools_;
    std::shared_ptr<const RouteTargets> targets_;
    std::vector<std::unique_ptr<Policy>> policies_;  ///< by level
    std::unique_ptr<bool[]> marks_;                  ///< all false between picks
};

}  // namespace scrollgate
