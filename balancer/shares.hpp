// Shares: how requests are divided among a few: the split pools of a level, the levels of a route.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace scrollgate {

class Shares {
  public:
    /// New shares; they need not sum to 1. Balances stay, so that nothing starts over when health
    /// changes; one whose share is 0 loses its balance. Allocates only for more than ever before.
    void assign(std::span<const double> shares);
    /// All shares are 0.
    [[nodiscard]] bool empty() const noexcept { return total_ <= 0; }
    /// The next one, exactly by share and smoothly. That is smooth weighted round robin (the scheme
    /// nginx made known): each pick earns everyone its share, the largest balance is picked and
    /// pays the sum. So a canary of 10 % gets 10 %, whoever is slower. Not empty.
    [[nodiscard]] std::size_t next() noexcept;
    /// The one at `point` in [0, 1), by share, without memory. Not empty.
    [[nodiscard]] std::size_t at(double point) const noexcept;

  private:
    std::vector<double> shares_, balances_;
    double total_ = 0;
};

}  // namespace scrollgate
