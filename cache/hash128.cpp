#include "cache/hash128.hpp"

#include <xxhash.h>  // compiled in: XXH_INLINE_ALL

namespace scrollgate {

Hash128 hash128(std::string_view text) noexcept {
    constexpr XXH64_hash_t seed = 0x7363'726f'6c6c'6761;
    const XXH128_hash_t hash = XXH3_128bits_withSeed(text.data(), text.size(), seed);
    return {hash.high64, hash.low64};
}

}  // namespace scrollgate
