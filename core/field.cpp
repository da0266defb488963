// Names and ids of the known fields: one list, from which a perfect hash is made at compile time.
// A look-up is one multiplication and one comparison of two words.
#include "core/field.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace scrollgate {
namespace {

/// Canonical names in the order of Field; row 0 is Field::unknown.
constexpr std::array<std::string_view, 64> names{
    "",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Age",
    "Authorization",
    "Cache-Control",
    "Cache-Status",
    "Cache-Tag",
    "CDN-Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "grpc-status",
    "grpc-timeout",
    "Host",
    "HTTP2-Settings",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Retry-After",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Key",
    "Server",
    "Set-Cookie",
    "Surrogate-Control",
    "Surrogate-Key",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-Id",
    "X-Scrollgate-Explain",
    "",  // sentinel: the static_assert below finds a list that is too short or too long
};
constexpr std::size_t known_count = names.size() - 2;
static_assert(static_cast<std::size_t>(Field::x_scrollgate_explain) == known_count);
static_assert(names[known_count] == "X-Scrollgate-Explain" && names[known_count + 1].empty());

constexpr std::size_t shortest = 2;
constexpr std::size_t longest = 20;
constexpr std::uint64_t case_bits = 0x2020202020202020U;
constexpr std::uint64_t ones = 0x0101010101010101U;

/// The first and the last eight bytes of a name, which overlap; the whole name up to 16 bytes.
struct Key {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
};

constexpr std::uint64_t word_of(std::string_view bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return word;
}

template <class Word>
std::uint64_t load(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);  // little endian, as word_of; the baseline is x86-64
    return word;
}

Key key_of(std::string_view name) noexcept {
    const char* p = name.data();
    const std::size_t n = name.size();
    if (n >= 8) return {load<std::uint64_t>(p), load<std::uint64_t>(p + n - 8)};
    if (n >= 4) return {load<std::uint32_t>(p) | load<std::uint32_t>(p + n - 4) << 32, 0};
    return {load<std::uint16_t>(p), static_cast<unsigned char>(p[n - 1])};
}

constexpr Key constant_key(std::string_view name) {
    const std::size_t n = name.size();
    if (n >= 8) return {word_of(name.substr(0, 8)), word_of(name.substr(n - 8))};
    if (n >= 4) return {word_of(name.substr(0, 4)) | word_of(name.substr(n - 4)) << 32, 0};
    return {word_of(name.substr(0, 2)), static_cast<unsigned char>(name[n - 1])};
}

/// The bits of a word that count: all but the case bit of letters.
constexpr std::uint64_t counting_bits(std::uint64_t word) {
    std::uint64_t bits = ~std::uint64_t{0};
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const std::uint64_t lower = (word >> shift & 0xff) | 0x20;
        if (lower >= 'a' && lower <= 'z') bits &= ~(std::uint64_t{0x20} << shift);
    }
    return bits;
}

struct Entry {
    Key key;
    Key counts;
    std::size_t length = 0;
    Field id = Field::unknown;

    [[nodiscard]] bool matches(const Key& other) const noexcept {
        return (((key.head ^ other.head) & counts.head) |
                ((key.tail ^ other.tail) & counts.tail)) == 0;
    }
};

constexpr Entry make_entry(std::size_t id) {
    const Key key = constant_key(names[id]);
    return {key,
            {counting_bits(key.head), counting_bits(key.tail)},
            names[id].size(),
            static_cast<Field>(id)};
}

constexpr std::size_t slot(const Key& key, std::uint64_t factor) {
    const std::uint64_t mixed = (key.head | case_bits) + std::rotl(key.tail | case_bits, 27);
    return static_cast<std::size_t>(mixed * factor >> 56);
}

/// Open to one name per slot; slots without a name lead to entry 0, which matches nothing.
struct Table {
    std::array<Entry, known_count + 1> entries{};
    std::array<std::uint8_t, 256> slots{};
    std::uint64_t factor = 0;
};

consteval Table make_table() {
    Table table;
    for (std::size_t id = 1; id <= known_count; ++id)
        table.entries[id] = make_entry(id);
    for (table.factor = 0x9e3779b97f4a7c15U;; table.factor += 0x5851f42d4c957f2eU) {
        table.slots = {};
        std::size_t id = 1;
        for (; id <= known_count; ++id) {
            std::uint8_t& taken = table.slots[slot(table.entries[id].key, table.factor)];
            if (taken != 0) break;
            taken = static_cast<std::uint8_t>(id);
        }
        if (id > known_count) return table;  // every name has a slot of its own
    }
}

constexpr Table table = make_table();

/// Whether two words differ in nothing but the case of letters.
bool same_letters(std::uint64_t a, std::uint64_t b) noexcept {
    const std::uint64_t differ = a ^ b;
    if (differ == 0) return true;
    if ((differ & ~case_bits) != 0) return false;
    const std::uint64_t folded = a | case_bits;
    const std::uint64_t low = folded & (0x7f * ones);
    const std::uint64_t letters = (low + 0x1f * ones) & ~(low + 0x05 * ones) & ~folded;
    return ((differ << 2) & ~letters & (0x80 * ones)) == 0;
}

}  // namespace

Field field_id(std::string_view name) noexcept {
    const std::size_t n = name.size();
    if (n < shortest || n > longest) return Field::unknown;
    const Key key = key_of(name);
    const Entry& entry = table.entries[table.slots[slot(key, table.factor)]];
    if (entry.length != n || !entry.matches(key)) return Field::unknown;
    if (n > 16 && !equal_no_case(name, field_name(entry.id))) return Field::unknown;
    return entry.id;
}

std::string_view field_name(Field id) noexcept {
    return names[static_cast<std::size_t>(id)];
}

bool equal_no_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    const char* p = a.data();
    const char* q = b.data();
    std::size_t n = a.size();
    for (; n >= 8; n -= 8, p += 8, q += 8) {
        if (!same_letters(load<std::uint64_t>(p), load<std::uint64_t>(q))) return false;
    }
    if (n == 0) return true;
    if (a.size() >= 8) {  // the last word overlaps the one before
        return same_letters(load<std::uint64_t>(p + n - 8), load<std::uint64_t>(q + n - 8));
    }
    return same_letters(word_of({p, n}), word_of({q, n}));
}

}  // namespace scrollgate
