// LookupSample: which look-ups into the store are timed and counted as demand for their key.
//
// All while few come, one of many where many do, so that it costs little and still knows what is
// asked for; by chance, so that no rhythm of requests hides a key from it. One worker.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/clock.hpp"
#include "core/rng.hpp"

namespace scrollgate {

class LookupSample {
  public:
    /// The look-up that is about to begin is one of the sample: taken() is to be called after it.
    [[nodiscard]] bool is_due() noexcept { return --left_ == 0; }
    /// It has ended. Returns for how many look-ups it stands, about.
    std::uint32_t taken(TimePoint now, Rng& rng) noexcept {
        const std::uint32_t uses = gap_;
        gap_ = now - last_ < rest ? std::min(gap_ * 2, gap_most) : std::max(gap_ / 2, 1U);
        last_ = now;
        left_ = 1 + static_cast<std::uint32_t>(rng.below(2 * gap_ - 1));  // gap_ on average
        return uses;
    }

  private:
    static constexpr std::uint32_t gap_most = 64;
    static constexpr Duration rest = std::chrono::milliseconds(1);  ///< between two, at least

    std::uint32_t gap_ = 1, left_ = 1;
    TimePoint last_{};
};

}  // namespace scrollgate
