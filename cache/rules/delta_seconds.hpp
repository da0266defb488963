// delta-seconds (RFC 9111 section 1.2.2): the one number of caching. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/limits.hpp"

namespace scrollgate {

/// Seconds, at most limits::cache_ttl_most, which also stands for all that is too large; nothing if
/// `text` is not digits and nothing else.
[[nodiscard]] inline std::optional<std::uint32_t> delta_seconds(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    std::uint64_t seconds = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        seconds = seconds * 10 + static_cast<std::uint64_t>(c - '0');
        if (seconds > limits::cache_ttl_most) seconds = limits::cache_ttl_most;
    }
    return static_cast<std::uint32_t>(seconds);
}

}  // namespace scrollgate
