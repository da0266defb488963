// Ramp: how much of its share an endpoint gets that has just come, or come back. A value.
#pragma once

#include <algorithm>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

class Ramp {
  public:
    /// Begins a ramp of `span`; zero: none. With `unproven` the endpoint has come back from an
    /// ejection and gets no more than a trickle until it has answered, however long `span` is.
    void begin(TimePoint now, Duration span, bool unproven) noexcept {
        since_ = now;
        span_ = span;
        unproven_ = unproven;
    }
    /// It has answered since it came.
    void proven() noexcept { unproven_ = false; }

    [[nodiscard]] bool unproven() const noexcept { return unproven_; }

    /// In (0, 1]: linear in time.
    [[nodiscard]] double part(TimePoint now) const noexcept {
        if (span_ <= Duration::zero()) return unproven_ ? limits::ramp_unproven : 1;
        const double way = seconds_of(now - since_) / seconds_of(span_);
        const double part = std::clamp(way, limits::ramp_floor, 1.0);
        return unproven_ ? std::min(part, limits::ramp_unproven) : part;
    }
    /// The part will be another one later, by time alone.
    [[nodiscard]] bool moving(TimePoint now) const noexcept {
        return span_ > Duration::zero() && now - since_ <= span_;
    }

  private:
    TimePoint since_{};
    Duration span_{};
    bool unproven_ = false;
};

}  // namespace scrollgate
