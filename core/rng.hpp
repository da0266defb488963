// The randomness seam. Not for secrets: those come from OpenSSL.
#pragma once

#include <cstdint>

namespace scrollgate {

class Rng {
  public:
    virtual ~Rng() = default;
    /// 64 uniform bits.
    virtual std::uint64_t next() noexcept = 0;
    /// Uniform in [0, bound); 0 for a bound of 0 (Lemire's multiply-shift).
    std::uint64_t below(std::uint64_t bound) noexcept {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }
};

/// xoshiro256++ (Blackman, Vigna 2019). One worker, no locks; equal seeds give equal rows.
class FastRng final : public Rng {
  public:
    explicit FastRng(std::uint64_t seed) noexcept;
    std::uint64_t next() noexcept override;

  private:
    std::uint64_t state_[4];
};

/// A seed from the operating system. Throws std::runtime_error if it gives none.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace scrollgate
