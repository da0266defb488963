// Holt's linear trend (1957): a smoothed level and a smoothed slope, so that load which grows is
// met before it is there. A value; one thread.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/clock.hpp"

namespace scrollgate {

class HoltTrend {
  public:
    /// `value` was measured `passed` after the last one.
    void add(double value, Duration passed) noexcept {
        const double dt = seconds_of(passed);
        if (!begun_) {
            level_ = value;
            begun_ = true;
            return;
        }
        if (dt <= 0) return;
        // Constants for one second, carried to other steps.
        const double alpha = 1 - std::pow(1 - 0.4, dt);
        const double beta = 1 - std::pow(1 - 0.2, dt);
        const double before = level_;
        level_ = alpha * value + (1 - alpha) * (level_ + slope_ * dt);
        slope_ = beta * (level_ - before) / dt + (1 - beta) * slope_;
    }
    [[nodiscard]] double level() const noexcept { return std::max(0.0, level_); }
    /// What is expected `ahead` from the last value; never below 0.
    [[nodiscard]] double ahead(Duration ahead) const noexcept {
        return std::max(0.0, level_ + slope_ * seconds_of(ahead));
    }

  private:
    double level_ = 0, slope_ = 0;  ///< per second
    bool begun_ = false;
};

}  // namespace scrollgate
