// Hash128: the name of a text that all processes call the same.
//
// XXH3 with a seed that is fixed for ever: others must come to the same name. So somebody may
// choose texts that share one; whoever goes by it compares the text itself, too. Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace scrollgate {

struct Hash128 {
    std::uint64_t high = 0, low = 0;
    friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

[[nodiscard]] Hash128 hash128(std::string_view text) noexcept;

}  // namespace scrollgate
