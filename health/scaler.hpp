// Scaler: how many endpoints of one pool are wanted in service, how many are, and why.
//
// The endpoints configured as active come first, then the standbys in their order. An operator
// scales to a number, or by a factor of the number that was there before the operator's first wish.
// Either way a wish is a number from then on: what comes through DNS because of it is not
// multiplied again, and saying it twice does no more than once. `scale 1` takes wishes back. `auto`
// adds to that as the requests in flight, or their forecast, ask for it: by doubling when short,
// slowly back to a little more than was needed. What is wanted beyond what is there is said as
// pending, never dropped. A value; one thread.
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

/// The endpoints of a pool as they are now.
struct ScaleMembers {
    std::uint32_t active = 0;  ///< configured so
    std::uint32_t standby = 0;
    std::uint32_t named = 0;  ///< of the active: what names have resolved to
    /// Somebody (the webhook) adds and removes those that come from names: `auto` may ask for fewer
    /// of them, down to min_active.
    bool elastic = false;
};

class Scaler {
  public:
    /// What there is now. True if state() is another one.
    bool resize(const ScaleMembers& members, const std::optional<config::AutoScale>& rules);
    /// Empty, or why the wish is refused (then nothing changes).
    [[nodiscard]] std::string wish(const ScaleWish& wish);
    /// The pool's requests in flight, `passed` after the last time. `idle`: of those in service,
    /// how many take none because checks, traffic or an operator say so. True if state() is another
    /// one.
    bool measure(double measured, Duration passed, std::uint32_t idle = 0);

    [[nodiscard]] const ScaleState& state() const noexcept { return state_; }
    /// More may change by time alone: `auto` has something to take back.
    [[nodiscard]] bool busy() const noexcept { return rules_ && extra_ > base(); }

    /// Somebody, an operator or `auto`, wants another number than there was.
    [[nodiscard]] bool asked() const noexcept { return wish_ || auto_spoke_; }

  private:
    /// What an operator has asked for.
    struct Wish {
        std::optional<double> factor;
        std::uint32_t before = 0;  ///< endpoints there were before the first wish; 0: not known yet
        std::uint32_t number = 0;  ///< that are wanted; 0: by `before`, once that is known
    };
    [[nodiscard]] std::uint32_t base() const noexcept;
    [[nodiscard]] bool elastic() const noexcept;
    void reckon(Wish& wish) const noexcept;
    [[nodiscard]] std::uint32_t before_wishes() const noexcept;
    [[nodiscard]] bool settle();

    ScaleMembers members_;
    std::optional<config::AutoScale> rules_;
    std::optional<Wish> wish_;
    bool auto_spoke_ = false;  ///< extra_ is of `auto`, not what was found
    std::uint32_t extra_ = 0;  ///< what `auto` wants; 0 or below base(): nothing more
    std::uint32_t most_kept_ = 0;
    Duration below_for_{};
    std::string auto_why_;
    HoltTrend trend_;
    ScaleState state_;
};

}  // namespace scrollgate
