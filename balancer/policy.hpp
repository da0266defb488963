// Policy: which of the eligible targets gets the next attempt.
//
// A Policy belongs to one route on one worker; no locks. It sees one priority level at a time.
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
    double weight = 1.0;
    std::size_t slot = 0;        ///< the caller's index for this endpoint
};

class Policy {
  public:
    virtual ~Policy() = default;
    /// The index of the chosen target, or nothing if `tried[i]` holds for all of them.
    /// `tried` is as long as `targets`; `targets` is the same row until changed() is called.
    [[nodiscard]] virtual std::optional<std::size_t> pick(std::span<const Target> targets,
                                                          std::span<const bool> tried,
                                                          Rng& rng) = 0;
    /// The row of targets is another one from now on.
    virtual void changed(std::span<const Target> targets) = 0;
};

[[nodiscard]] std::unique_ptr<Policy> make_policy(config::Route::Balance balance);

}  // namespace scrollgate
