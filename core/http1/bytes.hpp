// Classes of bytes in HTTP/1 grammar, and a fast way to find the first byte outside a class.
//
// A class is one bit per byte value, cut into rows of sixteen: two table shuffles (SSSE3, part of
// the x86-64-v2 baseline) classify sixteen bytes at once. Works for every class with at most eight
// different rows, which make_class checks. Reads nothing outside [p, end). Any thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "core/text.hpp"

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

namespace scrollgate::http1 {

struct ByteClass {
    alignas(16) std::array<std::uint8_t, 16> by_low{};   ///< low nibble -> rows that hold it
    alignas(16) std::array<std::uint8_t, 16> by_high{};  ///< high nibble -> its row
    std::array<bool, 256> member{};

    [[nodiscard]] constexpr bool has(char byte) const noexcept {
        return member[static_cast<unsigned char>(byte)];
    }
};

namespace detail {

template <class Predicate>
consteval ByteClass make_class(Predicate predicate) {
    ByteClass made;
    std::array<unsigned, 8> rows{};
    unsigned used = 0;
    for (unsigned high = 0; high < 16; ++high) {
        unsigned row = 0;
        for (unsigned low = 0; low < 16; ++low) {
            made.member[high * 16 + low] = predicate(high * 16 + low);
            if (made.member[high * 16 + low]) row |= 1U << low;
        }
        if (row == 0) continue;
        unsigned slot = 0;
        while (slot < used && rows[slot] != row)
            ++slot;
        if (slot == used) rows[used++] = row;  // a ninth row fails the compilation here
        made.by_high[high] = static_cast<std::uint8_t>(1U << slot);
    }
    for (unsigned low = 0; low < 16; ++low) {
        for (unsigned slot = 0; slot < used; ++slot) {
            if ((rows[slot] >> low & 1U) != 0) {
                made.by_low[low] = static_cast<std::uint8_t>(made.by_low[low] | 1U << slot);
            }
        }
    }
    return made;
}

constexpr bool is_alnum(unsigned b) {
    return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
}

constexpr bool among(unsigned b, std::string_view set) {
    return b < 0x80 && set.find(static_cast<char>(b)) != std::string_view::npos;
}

}  // namespace detail

/// tchar (RFC 9110 section 5.6.2).
inline constexpr ByteClass token_bytes = detail::make_class(
    [](unsigned b) { return detail::is_alnum(b) || detail::among(b, "!#$%&'*+-.^_`|~"); });

/// What a field value or reason phrase may hold: VCHAR, obs-text, SP, HTAB (RFC 9110 section 5.5).
inline constexpr ByteClass value_bytes =
    detail::make_class([](unsigned b) { return b == '\t' || (b >= 0x20 && b != 0x7f); });

/// What we take in a request target: VCHAR but those that a URI parser might end or rewrite at.
/// Browsers encode `"<>#` everywhere and turn a backslash into '/', yet send `|^{}` and the
/// backquote as they are in a query (WHATWG URL): those have one reading, so they pass.
inline constexpr ByteClass target_bytes = detail::make_class(
    [](unsigned b) { return b > 0x20 && b < 0x7f && !detail::among(b, "\"#<>\\"); });

/// reg-name of RFC 3986 section 3.2.2 but for '%' (decoded by some, not by others) and ','
/// (a list to some).
inline constexpr ByteClass host_bytes = detail::make_class(
    [](unsigned b) { return detail::is_alnum(b) || detail::among(b, "-._~!$&'()*+;="); });

#ifdef __SSSE3__
namespace detail {

/// One bit per byte of p[0..15] that is outside of Class.
template <const ByteClass& Class>
[[nodiscard]] inline std::uint32_t outside16(const char* p) noexcept {
    const __m128i low = _mm_load_si128(reinterpret_cast<const __m128i*>(Class.by_low.data()));
    const __m128i high = _mm_load_si128(reinterpret_cast<const __m128i*>(Class.by_high.data()));
    const __m128i nibble = _mm_set1_epi8(0x0f);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i in_low = _mm_shuffle_epi8(low, _mm_and_si128(bytes, nibble));
    const __m128i in_high = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble));
    const __m128i outside = _mm_cmpeq_epi8(_mm_and_si128(in_low, in_high), _mm_setzero_si128());
    return static_cast<std::uint32_t>(_mm_movemask_epi8(outside));
}

}  // namespace detail
#endif

/// The first byte in [p, end) outside of Class, or end. For runs that are mostly short.
template <const ByteClass& Class>
[[nodiscard]] inline const char* skip(const char* p, const char* end) noexcept {
#ifdef __SSSE3__
    for (; end - p >= 16; p += 16) {
        const std::uint32_t mask = detail::outside16<Class>(p);
        if (mask != 0) return p + std::countr_zero(mask);
    }
#endif
    while (p != end && Class.has(*p))
        ++p;
    return p;
}

/// skip<value_bytes>, made cheaper by taking HTAB, which is rare, for a stop at first.
[[nodiscard]] inline const char* skip_value(const char* p, const char* end) noexcept {
#ifdef __SSSE3__
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i del = _mm_set1_epi8(0x7f);
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
        const __m128i stop = _mm_or_si128(control, _mm_cmpeq_epi8(bytes, del));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stop));
        if (mask == 0) continue;
        p += std::countr_zero(mask);
        if (*p == '\t') break;
        return p;
    }
#endif
    return skip<value_bytes>(p, end);
}

/// Whether all of `text` is of Class; true for an empty one.
template <const ByteClass& Class>
[[nodiscard]] inline bool all_of(std::string_view text) noexcept {
    const char* end = text.data() + text.size();
    return skip<Class>(text.data(), end) == end;
}

[[nodiscard]] inline bool is_token(std::string_view text) noexcept {
    return !text.empty() && all_of<token_bytes>(text);
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

}  // namespace scrollgate::http1
