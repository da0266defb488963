#include "proxy/observe/log_text.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <emmintrin.h>

#include "proxy/observe/log_line.hpp"

namespace scrollgate {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// True where a byte needs thought: below space or above 0x7f (one signed comparison), DEL, quote,
// backslash.
unsigned special_mask(__m128i bytes) noexcept {
    const __m128i outside = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i any = _mm_or_si128(_mm_or_si128(outside, del), _mm_or_si128(quote, slash));
    return static_cast<unsigned>(_mm_movemask_epi8(any));
}

bool is_special(char byte) noexcept {
    return static_cast<signed char>(byte) < 0x20 || byte == 0x7f || byte == '"' || byte == '\\';
}

// Copies the plain start of `text`; returns how many bytes that was.
std::size_t copy_plain(char* out, std::string_view text) noexcept {
    std::size_t at = 0;
    for (; at + 16 <= text.size(); at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        const unsigned mask = special_mask(bytes);
        if (mask != 0) {
            const auto plain = static_cast<std::size_t>(__builtin_ctz(mask));
            std::memcpy(out + at, text.data() + at, plain);
            return at + plain;
        }
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + at), bytes);
    }
    for (; at < text.size() && !is_special(text[at]); ++at)
        out[at] = text[at];
    return at;
}

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none
// (RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (lead == 0xe0 && byte(1) < 0xa0) return 0;
        if (lead == 0xed && byte(1) > 0x9f) return 0;
        return tail(1) && tail(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (lead == 0xf0 && byte(1) < 0x90) return 0;
        if (lead == 0xf4 && byte(1) > 0x8f) return 0;
        return tail(1) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

// One special character at the start of `text`. `used` is how many of its bytes that was.
char* escape_json(char* out, std::string_view text, std::size_t& used) noexcept {
    const char first = text.front();
    used = 1;
    if (first == '"' || first == '\\') {
        *out++ = '\\';
        *out++ = first;
        return out;
    }
    const std::size_t length = utf8_length(text);
    if (length > 1) {
        used = length;
        std::memcpy(out, text.data(), length);
        return out + length;
    }
    const auto value = static_cast<unsigned char>(first);
    std::memcpy(out, "\\u00", 4);
    out[4] = hex_digits[value >> 4];
    out[5] = hex_digits[value & 15];
    return out + 6;
}

char* escape_quoted(char* out, std::string_view text, std::size_t& used) noexcept {
    const char first = text.front();
    used = 1;
    *out++ = '\\';
    if (first == '"' || first == '\\') {
        *out++ = first;
        return out;
    }
    const auto value = static_cast<unsigned char>(first);
    *out++ = 'x';
    *out++ = hex_digits[value >> 4];
    *out++ = hex_digits[value & 15];
    return out;
}

constexpr std::size_t longest_escape = 6;

template <class Escape>
char* write_escaped(char* out, std::string_view text, Escape escape) noexcept {
    const char* const end = out + log_text_max;
    while (true) {
        const std::string_view fits = text.substr(0, static_cast<std::size_t>(end - out));
        const std::size_t plain = copy_plain(out, fits);
        out += plain;
        text.remove_prefix(plain);
        if (text.empty()) return out;
        // Plain text up to the limit, or a character that might not fit: cut.
        if (static_cast<std::size_t>(end - out) < longest_escape) return out;
        std::size_t used = 0;
        out = escape(out, text, used);
        text.remove_prefix(used);
    }
}

}  // namespace

char* write_json_text(char* out, std::string_view text) noexcept {
    return write_escaped(out, text, escape_json);
}

char* write_quoted_text(char* out, std::string_view text) noexcept {
    return write_escaped(out, text, escape_quoted);
}

}  // namespace scrollgate
