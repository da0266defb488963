// Holt's linear trend (1957): a smoothed level and a smoothed slope, so that load which grows is
// met before it is there. The part of the slope that the values' noise may have made is no trend:
// half a minute ahead it would be a third of a constant load. A value; one thread.
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
        const double beta = 1 - std::pow(1 - 0.15, dt);
        const double slow = 1 - std::exp(-dt / 60);
        const double before = level_;
        error_ += slow * (std::abs(value - (level_ + slope_ * dt)) - error_);
        level_ = alpha * value + (1 - alpha) * (level_ + slope_ * dt);
        slope_ = beta * (level_ - before) / dt + (1 - beta) * slope_;
    }
    [[nodiscard]] double level() const noexcept { return std::max(0.0, level_); }
    /// What is expected `ahead` from the last value; never below 0.
    [[nodiscard]] double ahead(Duration ahead) const noexcept {
        // Of noise alone the slope's standard deviation is about a twelfth of the mean error.
        const double noise = 0.25 * error_;
        const double trend = std::copysign(std::max(0.0, std::abs(slope_) - noise), slope_);
        return std::max(0.0, level_ + trend * seconds_of(ahead));
    }

  private:
    double level_ = 0, slope_ = 0;  ///< per second
    double error_ = 0;              ///< of one step's forecast, in the mean
    bool begun_ = false;
};

}  // namespace scrollgate
