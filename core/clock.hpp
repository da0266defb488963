// The clock seam. Ages, deadlines and durations use steady time; wall time is only for messages
// and files that show a date. Nothing else in the tree may ask the system for the time.
#pragma once

#include <chrono>

namespace scrollgate {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// A deadline that never comes; also what a timeout of `none` is.
inline constexpr TimePoint never = TimePoint::max();
inline constexpr Duration no_limit = Duration::max();

/// now + span, where no_limit gives never.
[[nodiscard]] constexpr TimePoint after(TimePoint now, Duration span) noexcept {
    return span == no_limit ? never : now + span;
}

/// A span in seconds, for figures and rates.
[[nodiscard]] constexpr double seconds_of(Duration span) noexcept {
    return std::chrono::duration<double>(span).count();
}

class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
    [[nodiscard]] virtual WallTime wall() const noexcept = 0;
};

/// The machine's clocks. Any thread.
[[nodiscard]] const Clock& system_clock() noexcept;

/// A clock that tests move by hand. One thread.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] TimePoint now() const noexcept override { return now_; }
    [[nodiscard]] WallTime wall() const noexcept override { return wall_; }
    void advance(Duration by) noexcept {
        now_ += by;
        wall_ += by;
    }

  private:
    // Far ahead of any machine's clock, so that a loop that sleeps by the real one never thinks it
    // due.
    TimePoint now_{std::chrono::hours(24 * 3650)};
    WallTime wall_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace scrollgate
