#include "balancer/maglev.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "balancer/hash.hpp"
#include "core/limits.hpp"

namespace scrollgate {
namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};

/// Slots by weight: they sum to `size`, and each is within one of its share.
std::vector<std::uint64_t> quotas_of(std::span<const double> weights, std::size_t size) {
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<std::uint64_t> quotas;
    quotas.reserve(weights.size());
    double sum = 0;
    std::uint64_t given = 0;
    for (const double weight : weights) {
        sum += weight;
        const auto until = static_cast<std::uint64_t>(
            std::llround(std::min(sum / total, 1.0) * static_cast<double>(size)));
        quotas.push_back(until - given);
        given = until;
    }
    return quotas;
}

/// A target's permutation of the slots: offset, offset + skip, … modulo a prime.
struct Walk {
    std::uint64_t at, skip;
};

}  // namespace

// The largest primes below powers of four; with 32-bit slots the last is 1 MiB per route and
// worker, and gives 10,000 endpoints 26 slots each.
std::size_t MaglevTable::size_for(std::size_t targets) noexcept {
    constexpr std::size_t primes[] = {251, 1021, 4093, 16381, 65521, 262139};
    for (const std::size_t prime : primes) {
        if (prime >= targets * limits::hash_slots) return prime;
    }
    return primes[std::size(primes) - 1];
}

void MaglevTable::build(std::span<const std::uint64_t> ids, std::span<const double> weights) {
    const std::size_t size = size_for(ids.size());
    const std::vector<std::uint64_t> quotas = quotas_of(weights, size);
    std::vector<Walk> walks;
    walks.reserve(ids.size());
    for (const std::uint64_t id : ids) {
        walks.push_back({mix64(id) % size, mix64(id + 1) % (size - 1) + 1});
    }

    slots_.assign(size, nobody);
    // One slot per turn while weights are equal; with very unequal ones a heavy target takes
    // several, so that the number of rounds has a bound.
    constexpr std::uint64_t rounds_most = 256;
    const std::uint64_t rounds =
        std::min(*std::max_element(quotas.begin(), quotas.end()), rounds_most);
    for (std::uint64_t round = 1; round <= rounds; ++round) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::uint64_t before = quotas[i] * (round - 1) / rounds;
            Walk& walk = walks[i];
            for (std::uint64_t take = quotas[i] * round / rounds - before; take > 0; --take) {
                while (slots_[walk.at] != nobody)
                    walk.at = (walk.at + walk.skip) % size;
                slots_[walk.at] = static_cast<std::uint32_t>(i);
            }
        }
    }
}

}  // namespace scrollgate
