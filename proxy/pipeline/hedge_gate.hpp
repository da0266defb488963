// HedgeGate: when an answer is late enough for a second attempt beside the first, and whether one
// more may be made. After "The Tail at Scale" (Dean, Barroso 2013): hedged requests, deferred until
// a high percentile, so that they add little load.
//
// One per route and worker; no locks.
#pragma once

#include "balancer/latency.hpp"
#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

class HedgeGate {
  public:
    /// A request of the route begins: it brings limits::hedge_share of a hedge.
    void request() noexcept {
        tokens_ += limits::hedge_share;
        if (tokens_ > limits::hedge_burst) tokens_ = limits::hedge_burst;
    }
    /// An attempt gave its head after `took`.
    void answered(Duration took) noexcept { heads_.record(took); }
    /// What an answer takes at most, usually: the 99th percentile of the last seconds, or of the
    /// last limits::hedge_samples answers where these are rarer; no_limit while there were fewer.
    /// Made anew at most every limits::hedge_look.
    [[nodiscard]] Duration usual(TimePoint now) noexcept;
    /// Takes one hedge, if one is left.
    [[nodiscard]] bool take() noexcept {
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }

    /// The hedge that was taken is not made.
    void give_back() noexcept { tokens_ += 1; }

  private:
    LatencyWindow heads_;
    Duration usual_ = no_limit;
    TimePoint look_at_{}, rotate_at_{};
    double tokens_ = 0;  ///< else a reload would bring each worker a burst
};

}  // namespace scrollgate
