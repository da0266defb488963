#include "health/check_state.hpp"

#include <algorithm>

namespace scrollgate {
namespace {

/// Uniform in [0, span).
Duration part_of(Duration span, Rng& rng) noexcept {
    return Duration(static_cast<std::int64_t>(
        rng.below(static_cast<std::uint64_t>(std::max<std::int64_t>(span.count(), 0)))));
}

}  // namespace

CheckState::CheckState(const Rules& rules, TimePoint now, Rng& rng) noexcept
    : rules_(rules), due_(now + part_of(rules.interval / 10, rng)) {}

TimePoint CheckState::next(TimePoint began, TimePoint now, Rng& rng) const noexcept {
    const Duration jittered =
        rules_.interval - rules_.interval / 10 + part_of(rules_.interval / 5, rng);
    return std::max(now, began + jittered);
}

void CheckState::skip(TimePoint began, TimePoint now, Rng& rng) noexcept {
    due_ = next(began, now, rng);
}

bool CheckState::record(bool passed, TimePoint began, TimePoint now, Rng& rng) noexcept {
    passes_ = passed ? passes_ + 1 : 0;
    failures_ = passed ? 0 : failures_ + 1;
    const bool first_failure = failures_ == 1 && healthy_;
    const TimePoint later = next(began, now, rng);
    due_ = first_failure ? now : later;

    const bool before = healthy_;
    if (healthy_ && failures_ >= rules_.unhealthy_after) healthy_ = false;
    if (!healthy_ && passes_ >= rules_.healthy_after) healthy_ = true;
    return healthy_ != before;
}

}  // namespace scrollgate
