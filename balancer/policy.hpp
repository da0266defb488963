// Policy: which of the eligible targets gets the next attempt.
//
// A Policy belongs to one priority level of one route on one worker; no locks. Picks allocate
// nothing and take at most O(targets).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "core/rng.hpp"

namespace scrollgate {

/// One endpoint as a route sees it: its weight is the pool's weight times its share in the pool.
struct Target {
    const Endpoint* endpoint = nullptr;
    double weight = 1.0;  ///< > 0
};

class Policy {
  public:
    virtual ~Policy() = default;
    /// The index of the chosen target, or nothing if `tried[i]` holds for all of them.
    /// `tried` is as long as `targets`; `targets` is the row of the last changed().
    [[nodiscard]] virtual std::optional<std::size_t> pick(std::span<const Target> targets,
                                                          std::span<const bool> tried,
                                                          Rng& rng) = 0;
    /// The row of targets is another one from now on. What is remembered about an endpoint's
    /// identity stays. Called before the first pick; the endpoints outlive the call, no more.
    virtual void changed(std::span<const Target> targets) = 0;
};

/// Uniform in [0, 1).
[[nodiscard]] inline double unit_interval(Rng& rng) noexcept {
    return static_cast<double>(rng.next() >> 11) * 0x1p-53;
}

/// Never null. Call changed() before the first pick.
[[nodiscard]] std::unique_ptr<Policy> make_policy(config::Route::Balance balance);

/// Smooth weighted round robin: over a cycle each target gets exactly its share, spread evenly.
[[nodiscard]] std::unique_ptr<Policy> make_round_robin();
/// The lowest number of requests in flight per weight, over all workers; among equals weighted
/// random, so that workers do not move as a herd and an idle route still follows the weights.
[[nodiscard]] std::unique_ptr<Policy> make_least_requests();
/// Weighted random, without memory.
[[nodiscard]] std::unique_ptr<Policy> make_random();

}  // namespace scrollgate
