#include "balancer/retry_budget.hpp"

#include <algorithm>
#include <cmath>

namespace scrollgate {

RetryBudget::RetryBudget(double per_request, double floor, double burst) noexcept
    : per_request_(std::llround(per_request * unit)),
      burst_(std::llround(burst * unit)),
      floor_(floor * unit * 1e-9),
      saved_(burst_) {}

std::int64_t RetryBudget::grown(std::int64_t since, TimePoint now) const noexcept {
    const std::int64_t passed = now.time_since_epoch().count() - since;
    if (passed <= 0) return 0;
    const double units = static_cast<double>(passed) * floor_;
    return units < static_cast<double>(burst_) ? static_cast<std::int64_t>(units) : burst_;
}

void RetryBudget::refill(TimePoint now) noexcept {
    std::int64_t since = refilled_.load(std::memory_order_relaxed);
    const std::int64_t units = grown(since, now);
    if (units == 0) return;
    // Time is turned into tokens once, by whoever wins; what made no whole unit goes on counting.
    const std::int64_t until = units < burst_
                                   ? since + std::llround(static_cast<double>(units) / floor_)
                                   : now.time_since_epoch().count();
    if (!refilled_.compare_exchange_strong(since, until, std::memory_order_relaxed)) return;
    std::int64_t saved = saved_.load(std::memory_order_relaxed);
    while (!saved_.compare_exchange_weak(saved, std::min(saved + units, burst_),
                                         std::memory_order_relaxed)) {
    }
}

bool RetryBudget::take(TimePoint now) noexcept {
    refill(now);
    constexpr auto token = static_cast<std::int64_t>(unit);
    std::int64_t saved = saved_.load(std::memory_order_relaxed);
    do {
        if (saved < token) return false;
    } while (!saved_.compare_exchange_weak(saved, saved - token, std::memory_order_relaxed));
    return true;
}

double RetryBudget::left(TimePoint now) const noexcept {
    const std::int64_t units = saved_.load(std::memory_order_relaxed) +
                               grown(refilled_.load(std::memory_order_relaxed), now);
    return static_cast<double>(std::min(units, burst_)) / unit;
}

}  // namespace scrollgate
