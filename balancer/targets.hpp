// A route's targets in their order: levels, groups, pools. RouteLayout is made of the configuration
// alone, RouteTargets of it and the pools' present sets; neither knows of health.
//
// A level is a priority, or, with strict nearness, one distance within a priority. A level's groups
// are its split pools, each by itself, and all other pools together. A priority with a split pool
// is one level, because exact shares already say how much goes where, near or far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "balancer/endpoint.hpp"
#include "balancer/policy.hpp"
#include "config/model.hpp"

namespace scrollgate {

/// Immutable.
class RouteLayout {
  public:
    struct Pool {
        std::string name;
        double weight = 1;
        std::uint32_t subset = 0;     ///< endpoints that this node uses; 0: all
        std::size_t first_group = 0;  ///< with strict nearness: that of distance 0
        bool by_distance = false;     ///< its endpoints are in the groups of their distances
    };
    struct Group {
        std::size_t level = 0;
        double share = 1;  ///< of its level's requests
    };
    struct Level {
        std::size_t begin = 0, end = 0;  ///< groups
    };

    /// `self` with the node's name; `pools` say their `subset`, and may lack some of the route's.
    RouteLayout(const config::Route& route, config::Self self, std::span<const config::Pool> pools);

    [[nodiscard]] std::span<const Pool> pools() const noexcept { return pools_; }
    [[nodiscard]] std::span<const Group> groups() const noexcept { return groups_; }
    [[nodiscard]] std::span<const Level> levels() const noexcept { return levels_; }
    [[nodiscard]] const config::Self& self() const noexcept { return self_; }
    [[nodiscard]] config::Route::Nearness nearness() const noexcept { return nearness_; }

  private:
    void add_priority(const config::Route& route, std::uint32_t priority);
    std::size_t add_group(double share);

    config::Self self_;
    config::Route::Nearness nearness_;
    std::vector<Pool> pools_;  ///< in the route's order
    std::vector<Group> groups_;
    std::vector<Level> levels_;
};

/// Immutable; keeps its endpoints alive.
class RouteTargets {
  public:
    struct Span {
        std::size_t begin = 0, end = 0;  ///< in row()
    };

    /// Pools that `sets` does not know, and empty ones, give no targets.
    RouteTargets(const RouteLayout& layout, const PoolSets& sets);

    /// Every endpoint with its distance, by group; weights are not set.
    [[nodiscard]] std::span<const Target> row() const noexcept { return row_; }
    [[nodiscard]] Span group(std::size_t index) const noexcept { return groups_[index]; }
    /// In row(), the endpoints of one of the route's pools. If the pool has a subset, in the order
    /// in which this node would use them: rendezvous hashing (Thaler, Ravishankar 1998), so that
    /// each node has another order, each endpoint is used by about as many nodes, and a change of
    /// the set or of the nodes moves little.
    [[nodiscard]] std::span<const std::uint32_t> pool(std::size_t index) const noexcept {
        return pools_[index];
    }
    /// The group of an index in row().
    [[nodiscard]] std::uint32_t group_of(std::size_t index) const noexcept {
        return group_of_[index];
    }
    /// The one of the route's pools that an index in row() is of.
    [[nodiscard]] std::uint32_t pool_of(std::size_t index) const noexcept {
        return pool_of_[index];
    }
    /// The endpoint whose state has this tag, or null. O(log size).
    [[nodiscard]] const Endpoint* tagged(std::uint64_t tag) const noexcept;
    /// No endpoint at all: names that were never resolved, or empty pools.
    [[nodiscard]] bool empty() const noexcept { return row_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return row_.size(); }

  private:
    void rank(const RouteLayout& layout, std::size_t pool);

    std::vector<std::shared_ptr<const EndpointSet>> held_;
    std::vector<Target> row_;
    std::vector<std::uint32_t> group_of_, pool_of_;
    std::vector<Span> groups_;
    std::vector<std::vector<std::uint32_t>> pools_;
    std::vector<std::pair<std::uint64_t, const Endpoint*>> tags_;  ///< sorted
};

}  // namespace scrollgate
