// What verdicts make of a route: each target's weight, and each level's load.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "balancer/policy.hpp"
#include "balancer/targets.hpp"

namespace scrollgate {

/// A group as a whole.
struct GroupHealth {
    double whole = 0;   ///< weight of what is in service, were it all well
    double well = 0;    ///< its weight as it is
    bool live = false;  ///< some target has a weight here
};

/// Writes weight, base and score of all targets, and `groups` by the layout's groups. A pool's
/// weight is shared by its endpoints' own weights over all that are in service: all but standbys
/// that are not scaled in. So it does not grow with the pool's size, and what one endpoint loses by
/// its score, or by being out, is lost to the pool. Of a pool with a subset, the first of this
/// node's order that are well stand for all. With `panic`, everything that is out by a verdict
/// alone counts as well.
void weigh(std::span<Target> row, const RouteTargets& targets, const RouteLayout& layout,
           bool panic, std::vector<GroupHealth>& groups);

/// Part of a level's demand that it may take, in [0, 1]: its health times limits::spill_factor.
/// Zero exactly if nothing in it is live.
[[nodiscard]] double availability(const RouteLayout& layout, std::size_t level,
                                  std::span<const GroupHealth> groups) noexcept;

/// Turns availabilities into loads that sum to 1, unless all are 0: each level takes what it may of
/// what those before it left, as Envoy's priority levels do; if all together fall short, they carry
/// the whole in proportion.
void spill(std::span<double> levels) noexcept;

}  // namespace scrollgate
