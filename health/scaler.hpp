// Scaler: how many endpoints of one pool are wanted in service, how many are, and why.
//
// The endpoints configured as active come first, then the standbys in their order. An operator
// scales by a factor of the configured number (so saying it twice does no more than once) or to a
// number; `auto` adds to that as the requests in flight, or their forecast, ask for it: by doubling
// when short, slowly back. What is wanted beyond what is there is said as pending, never dropped.
// A value; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/model.hpp"
#include "core/clock.hpp"
#include "health/forecast.hpp"

namespace scrollgate {

/// What an operator asks for: exactly one of them.
struct ScaleWish {
    std::optional<double> factor;
    std::optional<std::uint32_t> active;
};

struct ScaleState {
    std::uint32_t wanted = 0;
    std::uint32_t in_service = 0;
    std::uint32_t pending = 0;  ///< wanted and not there: standbys have run out
    std::string why;
    bool operator==(const ScaleState&) const = default;
};

class Scaler {
  public:
    /// How many endpoints there are now: configured as active, and as standby. True if state() is
    /// another one.
    bool resize(std::uint32_t configured, std::uint32_t standbys,
                const std::optional<config::AutoScale>& rules);
    /// Empty, or why the wish is refused (then nothing changes).
    [[nodiscard]] std::string wish(const ScaleWish& wish);
    /// The pool's requests in flight, `passed` after the last time. True if state() is another one.
    bool measure(double in_flight, Duration passed);

    [[nodiscard]] const ScaleState& state() const noexcept { return state_; }
    /// More may change by time alone: `auto` has something to take back.
    [[nodiscard]] bool busy() const noexcept { return rules_ && extra_ > base(); }

  private:
    [[nodiscard]] std::uint32_t base() const noexcept;
    [[nodiscard]] bool settle();

    std::uint32_t configured_ = 0, standbys_ = 0;
    std::optional<config::AutoScale> rules_;
    ScaleWish wish_;
    std::uint32_t extra_ = 0;  ///< what `auto` wants; 0 or below base(): nothing more
    std::uint32_t most_needed_ = 0;
    Duration below_for_{};
    std::string auto_why_;
    HoltTrend trend_;
    ScaleState state_;
};

}  // namespace scrollgate
