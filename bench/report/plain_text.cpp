#include "bench/report/plain_text.hpp"

#include <cstdint>

namespace scrollgate::bench {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

bool continues(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

struct Decoded {
    std::size_t length = 0;  ///< 0: no character begins here
    std::uint32_t code = 0;
};

/// The character at the front of `text`, which is not empty (RFC 3629: the shortest form, no
/// surrogates, nothing beyond U+10FFFF).
Decoded decode(std::string_view text) noexcept {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) return {1, first};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
    std::uint32_t code = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!continues(text[i])) return {};
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
    return {length, code};
}

bool obeyed_by_terminals(std::uint32_t code) noexcept {
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool line_end = code == 0x2028 || code == 0x2029;
    const bool direction = code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                           (code >= 0x2066 && code <= 0x2069);
    return control || line_end || direction;
}

template <class Allowed>
std::string filtered(std::string_view text, const Allowed& allowed) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded next = decode(text);
        if (next.length > 0 && allowed(next.code))
            out += text.substr(0, next.length);
        else
            out += replacement;
        text.remove_prefix(next.length > 0 ? next.length : 1);
    }
    return out;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    return filtered(text, [](std::uint32_t) { return true; });
}

std::string printable(std::string_view text) {
    return filtered(text, [](std::uint32_t code) { return !obeyed_by_terminals(code); });
}

std::size_t columns_of(std::string_view text) noexcept {
    std::size_t columns = 0;
    for (const char c : text)
        columns += continues(c) ? 0 : 1;
    return columns;
}

std::string_view cut(std::string_view text, std::size_t columns) noexcept {
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
        if (continues(text[end])) continue;
        if (columns == 0) break;
        --columns;
    }
    return text.substr(0, end);
}

std::string shorten(std::string_view text, std::size_t columns) {
    const std::size_t all = columns_of(text);
    if (all <= columns) return std::string(text);
    if (columns == 0) return {};
    const std::size_t kept = columns - 1, front = kept - kept / 3;
    std::string out(cut(text, front));
    out += "…";
    out += text.substr(cut(text, all - (kept - front)).size());
    return out;
}

}  // namespace scrollgate::bench
