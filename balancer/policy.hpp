// Policy: which of the eligible targets gets the next attempt.
//
// A Policy belongs to one group of targets (a priority level of a route, or a split pool in it) on
// one worker; no locks. Picks allocate nothing. A target with weight 0 gets no attempts; it keeps
// its place in the row, so that what is remembered about it does.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/rng.hpp"

namespace scrollgate {

/// One endpoint as a route sees it.
struct Target {
    const Endpoint* endpoint = nullptr;
    double weight = 1;          ///< base x score; 0: gets no attempts
    double base = 1;            ///< pool's weight x share in the pool; 0: not in service here
    float score = 1;            ///< its health in (0, 1]; 0: gets no attempts
    std::uint8_t distance = 0;  ///< from `self`, as far as nearness counts (nearness.hpp)
};

/// What a pick goes by, beside the weights.
struct PickRequest {
    /// Endpoints of this exchange's earlier attempts, recognised by identity.
    std::span<const Endpoint* const> tried{};
    std::uint64_t hash = 0;  ///< of the key that consistent_hash goes by; 0: there is none
    TimePoint now{};         ///< for latencies, which fade with time
    /// This request was picked for before (it waits for room): exact shares have counted it.
    bool counted = false;
    /// Wished for: taken if it is eligible and untried. May be null.
    const Endpoint* stick{};
    /// Pools whose endpoints come last: full, or others of them have just failed.
    std::span<const PoolState* const> avoid{};
    /// Failed, or late: those of its zone in its pool come after all others of the pool. May be
    /// null.
    const Endpoint* away_from{};
    /// What the attempt is for. A first one may wait for room, one after a failure takes what it
    /// can get, one beside another is given up if nobody is left.
    enum class Stage : std::uint8_t { first, after_failure, beside } stage = Stage::first;
};

class Policy {
  public:
    virtual ~Policy() = default;
    /// The index of the chosen target, or nothing if each has weight 0 or `tried[i]`. `tried` is as
    /// long as `targets`; `targets` is the row of the last changed(), weights those of the last
    /// changed() or reweighed().
    [[nodiscard]] virtual std::optional<std::size_t> pick(std::span<const Target> targets,
                                                          std::span<const bool> tried,
                                                          const PickRequest& request, Rng& rng) = 0;
    /// The row of targets is another one from now on. What is remembered about an endpoint's
    /// identity stays. Called before the first pick; the endpoints outlive the call, no more.
    virtual void changed(std::span<const Target> targets) = 0;
    /// The same row with other weights. Allocates nothing, but for consistent_hash if a `base` is
    /// another one.
    virtual void reweighed(std::span<const Target> targets) = 0;
};

/// Uniform in [0, 1).
[[nodiscard]] inline double unit_interval(Rng& rng) noexcept {
    return static_cast<double>(rng.next() >> 11) * 0x1p-53;
}

/// One of the untried targets by weight, or nothing; O(targets). Policies fall back to it when
/// their faster ways meet tried ones only.
[[nodiscard]] std::optional<std::size_t> draw_untried(std::span<const Target> targets,
                                                      std::span<const bool> tried, Rng& rng);

/// Never null. Call changed() before the first pick.
[[nodiscard]] std::unique_ptr<Policy> make_policy(config::Route::Balance balance);

/// The lowest product of average latency and requests in flight, of all targets if they are few,
/// each a candidate as often as its weight says; beyond limits::full_scan, of four that are drawn
/// by weight. Between about equal ones the nearer.
[[nodiscard]] std::unique_ptr<Policy> make_adaptive();
/// Smooth weighted round robin: over a cycle each target gets exactly its share, spread evenly.
[[nodiscard]] std::unique_ptr<Policy> make_round_robin();
/// The lowest number of requests in flight per weight, over all workers; among equals weighted
/// random, so that workers do not move as a herd and an idle route still follows the weights.
/// Beyond limits::full_scan targets, the lowest of four that are drawn by weight.
[[nodiscard]] std::unique_ptr<Policy> make_least_requests();
/// Weighted random, without memory.
[[nodiscard]] std::unique_ptr<Policy> make_random();
/// The same key goes to the same target, on every node, while that is well and not overloaded.
[[nodiscard]] std::unique_ptr<Policy> make_consistent_hash();

}  // namespace scrollgate
