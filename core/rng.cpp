#include "core/rng.hpp"

#include <bit>
#include <stdexcept>

#include <sys/random.h>

namespace scrollgate {

FastRng::FastRng(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) {  // splitmix64, as the authors advise for seeding
        seed += 0x9e3779b97f4a7c15U;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        word = z ^ (z >> 31);
    }
}

std::uint64_t FastRng::next() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
        throw std::runtime_error("the operating system gives no random bytes");
    }
    return seed;
}

}  // namespace scrollgate
