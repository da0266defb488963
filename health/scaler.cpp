#include "health/scaler.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/limits.hpp"

namespace scrollgate {

bool Scaler::elastic() const noexcept {
    return rules_ && members_.elastic && members_.named > 0;
}

// Never less than one: an operator who wants none fails the pool.
std::uint32_t Scaler::base() const noexcept {
    if (wish_) return wish_->number != 0 ? wish_->number : members_.active;
    if (!rules_) return members_.active;
    const std::uint32_t fixed = members_.active - (elastic() ? members_.named : 0);
    return std::max(fixed, rules_->min_active);
}

/// Where nothing comes from names, the file alone says how many are configured.
std::uint32_t Scaler::before_wishes() const noexcept {
    return wish_ && wish_->before != 0 && members_.named > 0 ? wish_->before : members_.active;
}

void Scaler::reckon(Wish& wish) const noexcept {
    if (wish.before == 0) wish.before = members_.active;
    if (wish.number != 0 || !wish.factor || wish.before == 0) return;
    wish.number = static_cast<std::uint32_t>(
        std::clamp(std::ceil(wish.before * *wish.factor - 1e-9), 1.0, double{limits::scale_most}));
}

bool Scaler::resize(const ScaleMembers& members, const std::optional<config::AutoScale>& rules) {
    const std::uint32_t had = std::exchange(members_, members).active;
    rules_ = rules;
    if (wish_) reckon(*wish_);
    // Back to what was there before: that is reached, and nothing is wished any more.
    if (wish_ && wish_->factor == 1.0 && members_.active <= wish_->before) wish_.reset();
    if (!rules_) {
        extra_ = 0;
        auto_spoke_ = false;
    } else if (!wish_ && elastic() && members_.active > std::max(had, extra_)) {
        // What the names bring serves, until `auto` has seen that it is too much.
        extra_ = members_.active;
        auto_spoke_ = false;
        auto_why_ = "as found by name";
    }
    return settle();
}

std::string Scaler::wish(const ScaleWish& wish) {
    if (wish.factor.has_value() == wish.active.has_value()) {
        return "give either factor or active";
    }
    if (wish.factor && !(*wish.factor > 0 && std::isfinite(*wish.factor))) {
        return "factor must be more than 0";
    }
    const bool again = wish_ && wish.factor && wish_->factor == wish.factor;
    const std::uint32_t before = again ? wish_->before : before_wishes();
    const double wanted = wish.factor ? before * *wish.factor : static_cast<double>(*wish.active);
    if (wish.active == 0U) return "active must be at least 1; to take a pool out, fail it";
    if (wanted > limits::scale_most) {
        return fmt::format("{:.0f} endpoints are more than {}, the most that can be wanted", wanted,
                           limits::scale_most);
    }
    wish_ = Wish{wish.factor, before, wish.active.value_or(0)};
    reckon(*wish_);
    if (wish.factor == 1.0 && members_.active <= wish_->before) wish_.reset();
    extra_ = 0;
    auto_spoke_ = false;
    if (!wish_ && elastic()) {
        extra_ = members_.active;
        auto_why_ = "as found by name";
    }
    below_for_ = Duration::zero();
    most_kept_ = 0;
    static_cast<void>(settle());
    return {};
}

bool Scaler::measure(double measured, Duration passed, std::uint32_t idle) {
    trend_.add(measured, passed);
    if (!rules_) return false;
    const double expected = trend_.ahead(rules_->forecast);
    const double load = std::max(trend_.level(), expected);
    const auto endpoints_for = [this](double in_flight) {
        return static_cast<std::uint32_t>(std::min(
            std::ceil(in_flight / rules_->target_in_flight - 1e-9), double{limits::scale_most}));
    };
    // What is there and does not serve is no capacity: its part is needed from others.
    const std::uint32_t least = idle > 0 ? std::max(rules_->min_active, 1U) : 0;
    const std::uint32_t needed = std::max(endpoints_for(load), least) + idle;
    // Load is never quite constant: a pool of exactly what it needed doubles again at once.
    const std::uint32_t kept = std::max(endpoints_for(load * limits::scale_headroom), least) + idle;
    const std::uint32_t now = std::max(extra_, base());
    const std::uint32_t most = std::max(rules_->max_active, now);
    if (needed > now) {
        below_for_ = Duration::zero();
        most_kept_ = 0;
        const std::uint32_t before =
            std::exchange(extra_, std::min(std::max(2 * now - idle, now + 1), most));
        if (extra_ == before) return settle();
        auto_spoke_ = true;
        auto_why_ =
            fmt::format("auto: {:.1f} in flight, {:.1f} expected, {:g} per endpoint aimed at",
                        trend_.level(), expected, rules_->target_in_flight);
        if (extra_ == most) auto_why_ += fmt::format(", max_active {}", rules_->max_active);
    } else if (kept < now && extra_ > base()) {
        below_for_ += passed;
        most_kept_ = std::max(most_kept_, kept);
        if (below_for_ >= rules_->shrink_after) {
            const std::uint32_t step = std::max(1U, now / 4);
            extra_ = std::max({most_kept_, now - std::min(step, now), base()});
            auto_spoke_ = true;
            auto_why_ = fmt::format("auto: {:.1f} in flight, {} were enough for {:.1f} s",
                                    trend_.level(), most_kept_, seconds_of(below_for_));
            below_for_ = Duration::zero();
            most_kept_ = 0;
        }
    } else {
        below_for_ = Duration::zero();
        most_kept_ = 0;
    }
    return settle();
}

bool Scaler::settle() {
    ScaleState next;
    next.wanted = std::max(extra_, base());
    next.in_service = std::min(next.wanted, members_.active + members_.standby);
    next.pending = next.wanted - next.in_service;
    const bool as_auto_left_it = !wish_ && (elastic() || auto_spoke_) && extra_ == base();
    if (extra_ > base() || as_auto_left_it) {
        next.why = auto_why_;
    } else if (wish_ && wish_->factor) {
        next.why = fmt::format("scaled by {:g} from {}", *wish_->factor, wish_->before);
    } else if (wish_) {
        next.why = fmt::format("scaled to {}", wish_->number);
    } else {
        next.why = next.wanted > members_.active ? "min_active" : "as configured";
    }
    if (next.pending > 0) {
        next.why += fmt::format("; {} more wanted than there are", next.pending);
    }
    const bool changed = !(next == state_);
    state_ = std::move(next);
    return changed;
}

}  // namespace scrollgate
