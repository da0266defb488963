// CheckState: what the checks of one endpoint (or dependency) have shown, and when the next is due.
//
// Rise and fall as in HAProxy: so many passes or failures in a row change the verdict. A value; one
// thread.
#pragma once

#include <cstdint>

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/rng.hpp"

namespace scrollgate {

class CheckState {
  public:
    struct Rules {
        Duration interval = limits::check_interval;
        std::uint32_t healthy_after = limits::healthy_after;
        std::uint32_t unhealthy_after = limits::unhealthy_after;
    };

    /// Healthy until shown otherwise; the first check is due at once, spread over a tenth of the
    /// interval, so that a large pool's do not all start together.
    CheckState(const Rules& rules, TimePoint now, Rng& rng) noexcept;

    /// Other rules from the next result on; the verdict stays.
    void set_rules(const Rules& rules) noexcept { rules_ = rules; }

    /// A check that began at `began` ended now. The next is due an interval (give or take a tenth)
    /// after `began`, or at once if this was the first failure in a row. True if healthy() changed.
    bool record(bool passed, TimePoint began, TimePoint now, Rng& rng) noexcept;

    /// Nothing was found out by a check that began at `began`: the next is due an interval after.
    void skip(TimePoint began, TimePoint now, Rng& rng) noexcept;

    [[nodiscard]] TimePoint due() const noexcept { return due_; }
    [[nodiscard]] bool healthy() const noexcept { return healthy_; }
    /// Passes in a row up to now; 0 after a failure.
    [[nodiscard]] std::uint32_t passes() const noexcept { return passes_; }
    /// Failures in a row up to now; 0 after a pass.
    [[nodiscard]] std::uint32_t failures() const noexcept { return failures_; }
    /// For the score: 1, a half while failures have begun to count, 0 while unhealthy.
    [[nodiscard]] float part() const noexcept {
        if (!healthy_) return 0;
        return failures_ == 0 ? 1.0F : 0.5F;
    }

  private:
    [[nodiscard]] TimePoint next(TimePoint began, TimePoint now, Rng& rng) const noexcept;

    Rules rules_;
    TimePoint due_;
    std::uint32_t passes_ = 0, failures_ = 0;
    bool healthy_ = true;
};

}  // namespace scrollgate
