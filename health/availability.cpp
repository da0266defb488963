#include "health/availability.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

constexpr double grain = 50'000;

}  // namespace

template <std::size_t Count, std::int64_t UnitSeconds>
void Availability::Ring<Count, UnitSeconds>::add(double span, bool is_up, bool counts) noexcept {
    constexpr double unit = UnitSeconds;
    span = std::min(span, unit * (Count + 1));  // everything older is forgotten anyway
    while (span > 0) {
        const double step = std::min(span, unit - passed);
        passed += step;
        span -= step;
        if (counts) {
            known += step;
            if (is_up) up += step;
        }
        if (passed < unit - 1e-9) continue;
        slots[next] = {static_cast<std::uint16_t>(up / unit * grain + 0.5),
                       static_cast<std::uint16_t>(known / unit * grain + 0.5)};
        next = (next + 1) % Count;
        up = known = passed = 0;
    }
}

template <std::size_t Count, std::int64_t UnitSeconds>
std::optional<double> Availability::Ring<Count, UnitSeconds>::share(
    std::size_t last) const noexcept {
    double all_up = up, all_known = known;
    for (std::size_t i = 1; i <= last; ++i) {
        const Slot& slot = slots[(next + Count - i) % Count];
        all_up += slot.up / grain * UnitSeconds;
        all_known += slot.known / grain * UnitSeconds;
    }
    if (all_known <= 0) return std::nullopt;
    return std::min(1.0, all_up / all_known);
}

void Availability::add(Duration span, bool up, bool counts) noexcept {
    minutes_.add(seconds_of(span), up, counts);
    hours_.add(seconds_of(span), up, counts);
}

Availability::Shares Availability::shares() const noexcept {
    return {minutes_.share(60), hours_.share(24), hours_.share(720)};
}

}  // namespace scrollgate
