#include "cache/redis/breaker.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate::redis {

bool Breaker::late() noexcept {
    return ++missed_ >= limits::redis_missed;
}

void Breaker::closed(TimePoint now) noexcept {
    missed_ = 0;
    up_since_ = now;
}

Duration Breaker::opened(TimePoint now, Rng& rng, bool slow) noexcept {
    if (up_since_ != never && now - up_since_ >= limits::redis_proven) failures_ = 0;
    const bool was_up = up_since_ != never;
    up_since_ = never;
    missed_ = 0;
    const auto below = [&rng](Duration span) {
        return Duration(rng.below(static_cast<std::uint64_t>(span.count())));
    };
    if (failures_ == 0 && was_up && !slow) {
        failures_ = 1;
        return below(limits::redis_at_once);
    }
    constexpr unsigned most_doublings = 16;
    if (failures_ == 0) failures_ = 1;
    const unsigned doublings = std::min(failures_ - 1, most_doublings);
    const Duration pause = std::min<Duration>(Duration(limits::redis_pause) * (1U << doublings),
                                              limits::redis_pause_max);
    ++failures_;
    return pause - below(pause / 2);
}

}  // namespace scrollgate::redis
