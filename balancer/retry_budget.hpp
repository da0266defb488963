// RetryBudget: how many attempts beyond the first a route may make, so that a failure is not
// answered by a storm of repetitions.
//
// A token bucket. Each request deposits a share of a token, time deposits a floor, and what is
// saved has a ceiling. One per route for all workers, because a bound that each worker keeps for
// itself grows with the machine. Relaxed atomics: while the bucket is full, which is the calm case,
// a deposit only reads. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

class RetryBudget {
  public:
    /// `per_request`: tokens that a request deposits, in [0, 1]; `floor`: tokens per second that
    /// come anyway; `burst`: most that can be saved. Begins full.
    explicit RetryBudget(double per_request, double floor = limits::retry_budget_floor,
                         double burst = limits::retry_budget_burst) noexcept;

    /// A request has come; called once for each, before its first attempt.
    void deposit() noexcept {
        if (saved_.load(std::memory_order_relaxed) < burst_) {
            saved_.fetch_add(per_request_, std::memory_order_relaxed);
        }
    }
    /// Takes one token for an attempt beyond the first; false if there is none, and then nothing
    /// was taken. `now` is the caller's loop time; workers' times may differ by a little.
    [[nodiscard]] bool take(TimePoint now) noexcept;
    /// The attempt that a token was taken for is not made.
    void give_back() noexcept {
        saved_.fetch_add(static_cast<std::int64_t>(unit), std::memory_order_relaxed);
    }
    /// Tokens that are there, with those that time has brought; changes nothing.
    [[nodiscard]] double left(TimePoint now) const noexcept;

  private:
    /// Tokens are counted in millionths, so that a share of one is a whole number.
    static constexpr double unit = 1e6;

    /// Units that time has brought since `since` (nanoseconds), as far as the bucket holds them.
    [[nodiscard]] std::int64_t grown(std::int64_t since, TimePoint now) const noexcept;
    void refill(TimePoint now) noexcept;

    const std::int64_t per_request_, burst_;
    const double floor_;  ///< units per nanosecond
    std::atomic<std::int64_t> saved_;
    std::atomic<std::int64_t> refilled_{0};  ///< until when time's share is in `saved_`
};

}  // namespace scrollgate
