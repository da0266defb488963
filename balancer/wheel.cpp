#include "balancer/wheel.hpp"

#include <algorithm>

namespace scrollgate {

void Wheel::assign(std::span<const Target> targets) {
    const std::size_t count = targets.size();
    ends_.resize(count);
    guide_.resize(count);
    total_ = 0;
    for (const Target& target : targets)
        total_ += target.weight;
    if (total_ <= 0) return;

    double sum = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double share = targets[i].weight / total_;
        if (share > 0) last = i;
        ends_[i] = sum += share;
    }
    // Whatever rounding left of the circle belongs to the last arc.
    std::fill(ends_.begin() + static_cast<std::ptrdiff_t>(last), ends_.end(), 1.0);

    std::uint32_t at = 0;
    for (std::size_t k = 0; k < count; ++k) {
        while (ends_[at] <= static_cast<double>(k) / static_cast<double>(count))
            ++at;
        guide_[k] = at;
    }
}

}  // namespace scrollgate
