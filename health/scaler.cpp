#include "health/scaler.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/limits.hpp"

namespace scrollgate {

// Never less than one: an operator who wants none fails the pool.
std::uint32_t Scaler::base() const noexcept {
    double wanted = configured_;
    if (wish_.active) wanted = *wish_.active;
    if (wish_.factor) wanted = std::ceil(configured_ * *wish_.factor - 1e-9);
    const bool wished = wish_.active || wish_.factor;
    const double least = wished ? 1 : rules_ ? rules_->min_active : 0;
    return static_cast<std::uint32_t>(std::clamp(wanted, least, double{limits::scale_most}));
}

bool Scaler::resize(std::uint32_t configured, std::uint32_t standbys,
                    const std::optional<config::AutoScale>& rules) {
    configured_ = configured;
    standbys_ = standbys;
    if (!rules) extra_ = 0;
    rules_ = rules;
    return settle();
}

std::string Scaler::wish(const ScaleWish& wish) {
    if (wish.factor.has_value() == wish.active.has_value()) {
        return "give either factor or active";
    }
    if (wish.factor && !(*wish.factor > 0 && std::isfinite(*wish.factor))) {
        return "factor must be more than 0";
    }
    const double wanted =
        wish.factor ? configured_ * *wish.factor : static_cast<double>(*wish.active);
    if (wish.active == 0U) return "active must be at least 1; to take a pool out, fail it";
    if (wanted > limits::scale_most) {
        return fmt::format("{:.0f} endpoints are more than {}, the most that can be wanted", wanted,
                           limits::scale_most);
    }
    wish_ = wish;
    extra_ = 0;
    below_for_ = Duration::zero();
    static_cast<void>(settle());
    return {};
}

bool Scaler::measure(double in_flight, Duration passed) {
    trend_.add(in_flight, passed);
    if (!rules_) return false;
    const double expected = trend_.ahead(rules_->forecast);
    const double load = std::max(trend_.level(), expected);
    const auto needed = static_cast<std::uint32_t>(
        std::min(std::ceil(load / rules_->target_in_flight - 1e-9), double{limits::scale_most}));
    const std::uint32_t now = std::max(extra_, base());
    const std::uint32_t most = std::max(rules_->max_active, base());
    if (needed > now) {
        below_for_ = Duration::zero();
        most_needed_ = 0;
        const std::uint32_t before = std::exchange(extra_, std::min(2 * now, most));
        if (extra_ == before) return settle();
        auto_why_ =
            fmt::format("auto: {:.1f} in flight, {:.1f} expected, {:g} per endpoint aimed at",
                        trend_.level(), expected, rules_->target_in_flight);
        if (extra_ == most) auto_why_ += fmt::format(", max_active {}", rules_->max_active);
    } else if (needed < now && extra_ > base()) {
        below_for_ += passed;
        most_needed_ = std::max(most_needed_, needed);
        if (below_for_ >= rules_->shrink_after) {
            const std::uint32_t step = std::max(1U, now / 4);
            extra_ = std::max({most_needed_, now - std::min(step, now), base()});
            auto_why_ = fmt::format("auto: {:.1f} in flight, at most {} needed for {:g} s",
                                    trend_.level(), most_needed_, seconds_of(below_for_));
            below_for_ = Duration::zero();
            most_needed_ = 0;
        }
    } else {
        below_for_ = Duration::zero();
        most_needed_ = 0;
    }
    return settle();
}

bool Scaler::settle() {
    ScaleState next;
    next.wanted = std::max(extra_, base());
    next.in_service = std::min(next.wanted, configured_ + standbys_);
    next.pending = next.wanted - next.in_service;
    if (extra_ > base()) {
        next.why = auto_why_;
    } else if (wish_.factor) {
        next.why = fmt::format("scaled by {:g} from {}", *wish_.factor, configured_);
    } else if (wish_.active) {
        next.why = fmt::format("scaled to {}", *wish_.active);
    } else {
        next.why = next.wanted > configured_ ? "min_active" : "as configured";
    }
    if (next.pending > 0) {
        next.why += fmt::format("; {} more are wanted than there are", next.pending);
    }
    const bool changed = !(next == state_);
    state_ = std::move(next);
    return changed;
}

}  // namespace scrollgate
