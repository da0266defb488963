// Wheel: targets as arcs of a circle of length 1, each as wide as its share of the weights.
//
// A guide table (Chen, Asau 1974) of as many entries as targets says where the search for a point
// begins, so a lookup takes two steps on average, whatever the weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balancer/policy.hpp"

namespace scrollgate {

class Wheel {
  public:
    /// The row's present weights. O(targets); allocates only for a longer row than ever before.
    void assign(std::span<const Target> targets);
    /// No target has a weight.
    [[nodiscard]] bool empty() const noexcept { return total_ <= 0; }
    /// The target at `point` in [0, 1); never one of weight 0. The wheel is not empty.
    [[nodiscard]] std::size_t at(double point) const noexcept {
        const double entries = static_cast<double>(guide_.size());
        std::size_t i = guide_[static_cast<std::size_t>(point * entries)];
        while (ends_[i] <= point)
            ++i;
        return i;
    }

  private:
    std::vector<double> ends_;          ///< of each target's arc
    std::vector<std::uint32_t> guide_;  ///< entry k: the target at point k / entries
    double total_ = 0;                  ///< of the weights
};

}  // namespace scrollgate
