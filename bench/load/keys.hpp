// Which object a request asks for: numbers from 0 on, evenly or by Zipf's law.
#pragma once

#include <cstdint>

#include "core/rng.hpp"

namespace scrollgate::bench {

/// Draws from [0, count). With exponent s > 0 number k has a probability proportional to
/// 1/(k+1)^s; with s = 0 all have the same. Constant time and memory whatever the count:
/// rejection-inversion (Hörmann, Derflinger 1996). Any thread; the dice are the caller's.
class KeyDistribution {
  public:
    /// `count` >= 1, `exponent` >= 0.
    KeyDistribution(std::uint64_t count, double exponent) noexcept;
    [[nodiscard]] std::uint64_t draw(Rng& rng) const noexcept;

  private:
    [[nodiscard]] double integral(double x) const noexcept;
    [[nodiscard]] double inverse(double y) const noexcept;
    [[nodiscard]] double weight(double x) const noexcept;

    std::uint64_t count_;
    double exponent_;
    double low_ = 0, high_ = 0;  ///< of the area below the smoothed curve
    double shortcut_ = 0;        ///< candidates this near to their number need no second look
};

/// Uniform in (0, 1).
[[nodiscard]] double uniform(Rng& rng) noexcept;

}  // namespace scrollgate::bench
