#include "bench/load/keys.hpp"

#include <algorithm>
#include <cmath>

namespace scrollgate::bench {
namespace {

/// log(1+x)/x and (exp(x)-1)/x, which are 1 at 0.
double log1p_over(double x) {
    return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2;
}
double expm1_over(double x) {
    return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2;
}

}  // namespace

double uniform(Rng& rng) noexcept {
    return (static_cast<double>(rng.next() >> 11) + 0.5) * 0x1p-53;
}

// Ranks 1 … n are drawn by inverting the integral of x^-s over [1/2, n + 1/2], which lies below the
// sum of the weights, so that few candidates are refused.
KeyDistribution::KeyDistribution(std::uint64_t count, double exponent) noexcept
    : count_(count), exponent_(exponent) {
    if (exponent_ == 0) return;
    low_ = integral(1.5) - 1;
    high_ = integral(static_cast<double>(count_) + 0.5);
    shortcut_ = 2 - inverse(integral(2.5) - weight(2));
}

double KeyDistribution::integral(double x) const noexcept {
    const double log_x = std::log(x);
    return expm1_over((1 - exponent_) * log_x) * log_x;
}

double KeyDistribution::inverse(double y) const noexcept {
    const double t = std::max(-1.0, y * (1 - exponent_));
    return std::exp(log1p_over(t) * y);
}

double KeyDistribution::weight(double x) const noexcept {
    return std::exp(-exponent_ * std::log(x));
}

std::uint64_t KeyDistribution::draw(Rng& rng) const noexcept {
    if (count_ <= 1) return 0;
    if (exponent_ == 0) return rng.below(count_);
    while (true) {
        const double y = high_ + uniform(rng) * (low_ - high_);
        const double x = inverse(y);
        const double rank = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(count_));
        if (rank - x <= shortcut_ || y >= integral(rank + 0.5) - weight(rank))
            return static_cast<std::uint64_t>(rank) - 1;
    }
}

}  // namespace scrollgate::bench
