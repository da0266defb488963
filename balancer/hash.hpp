// Hashes that every node and every build agrees on: who serves a key, and which endpoints a node
// uses, must not change with the library. Not for secrets, nor against chosen collisions.
#pragma once

#include <cstdint>
#include <string_view>

namespace scrollgate {

/// Spreads any difference over all 64 bits (the finaliser of splitmix64, Steele et al. 2014).
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t word) noexcept {
    word += 0x9e3779b97f4a7c15U;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
    return word ^ (word >> 31);
}

/// FNV-1a over the bytes, then mixed; another `seed` gives an unrelated hash. A hash serves as the
/// seed of the next text, so that ("a", "bc") and ("ab", "c") differ.
[[nodiscard]] constexpr std::uint64_t hash_text(std::string_view text,
                                                std::uint64_t seed = 0) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U ^ mix64(seed);
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return mix64(hash);
}

/// `word` as a point in [0, 1).
[[nodiscard]] constexpr double unit_point(std::uint64_t word) noexcept {
    return static_cast<double>(word >> 11) * 0x1p-53;
}

/// `word` as a place in [0, bound); 0 for a bound of 0.
[[nodiscard]] constexpr std::uint64_t place_in(std::uint64_t word, std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(word) * bound) >> 64);
}

}  // namespace scrollgate
