// Percent escapes (RFC 3986 section 2.1), for paths, query parameters and credentials.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace scrollgate {

/// The value of a hex digit, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The byte that the escape at `text[at]` (a '%') stands for, 0-255, or -1 if it is malformed.
[[nodiscard]] constexpr int escape_at(std::string_view text, std::size_t at) noexcept {
    if (text.size() - at < 3) return -1;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// `text` with every escape replaced by its byte; nothing if one is malformed.
[[nodiscard]] inline std::optional<std::string> unescaped(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            bytes += text[i];
            continue;
        }
        const int byte = escape_at(text, i);
        if (byte < 0) return std::nullopt;
        bytes += static_cast<char>(byte);
        i += 2;
    }
    return bytes;
}

}  // namespace scrollgate
