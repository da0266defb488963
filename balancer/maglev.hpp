// MaglevTable: from a key's hash to a target, so that a change of the targets moves few keys.
//
// Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section
// 3.4: each target has its own permutation of the table's slots, and they take turns to take the
// first slot of theirs that is free. Here a target takes as many slots as its weight is worth.
// Two tables of the same targets and weights are equal, on any node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace scrollgate {

class MaglevTable {
  public:
    /// Takes milliseconds for a thousand targets: only when weights that last have changed.
    /// `ids`: a hash of each target's identity; `weights`: by target, some above 0.
    void build(std::span<const std::uint64_t> ids, std::span<const double> weights);
    /// The target of a hash. The table was built.
    [[nodiscard]] std::size_t at(std::uint64_t hash) const noexcept {
        return slots_[hash % slots_.size()];
    }
    [[nodiscard]] std::span<const std::uint32_t> slots() const noexcept { return slots_; }

    /// A prime: limits::hash_slots per target if such a table is not too large.
    [[nodiscard]] static std::size_t size_for(std::size_t targets) noexcept;

  private:
    std::vector<std::uint32_t> slots_;
};

}  // namespace scrollgate
