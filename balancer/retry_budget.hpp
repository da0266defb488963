// RetryBudget: how many second attempts a route may make (Finagle's and Envoy's retry budgets).
//
// A token bucket: each request deposits a share of a token, time deposits the floor, a repetition
// takes one. One per route and worker; no locks.
#pragma once

#include <algorithm>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

class RetryBudget {
  public:
    /// `share` of a token per request, in [0, 1].
    explicit RetryBudget(double share) noexcept : share_(share) {}

    /// A request begins.
    void deposit() noexcept { tokens_ = std::min(tokens_ + share_, limits::retry_budget_burst); }
    /// Takes a token if there is one.
    [[nodiscard]] bool take(TimePoint now) noexcept {
        refill(now);
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }
    /// Tokens that are left.
    [[nodiscard]] double left(TimePoint now) noexcept {
        refill(now);
        return tokens_;
    }

  private:
    void refill(TimePoint now) noexcept {
        const double passed = seconds_of(std::max(now - filled_, Duration::zero()));
        tokens_ =
            std::min(tokens_ + passed * limits::retry_budget_floor, limits::retry_budget_burst);
        filled_ = now;
    }

    double share_;
    double tokens_ = limits::retry_budget_burst;
    TimePoint filled_{};
};

}  // namespace scrollgate
