// Record: what one value in Redis holds, and its bytes (docs/cache-format.md).
//
// The reader trusts nothing: whatever is not exactly a record of this version (foreign, of another
// version, cut off, changed) is told from one by its kind of trouble, and is a miss. What it
// accepts can be stored and sent as it is: names are tokens, values hold no control characters, no
// field is one that a stored response must not have. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache/freshness.hpp"
#include "cache/hash128.hpp"
#include "cache/store/body.hpp"
#include "core/header_list.hpp"

namespace scrollgate::tier {

/// Views into the bytes, or into what it is made from.
struct Record {
    enum class Kind : std::uint8_t {
        response = 1,
        marker = 2,      ///< hit-for-miss: neither fields nor body
        variants = 3,    ///< the key's responses are told apart by the names in `vary`
        dictionary = 4,  ///< its text is the body, raw
    };

    Kind kind = Kind::response;
    std::uint16_t status = 0;
    std::uint64_t position = 0;    ///< of the purge log, when the fill began
    std::int64_t received_ms = 0;  ///< Freshness::received, by Redis's clock
    Freshness freshness;           ///< but for `received`
    std::string_view key;          ///< CacheKey::text; of a dictionary: empty
    std::string_view vary;         ///< lines of append_vary(), or of names alone
    HeaderList fields;
    std::vector<std::string_view> tags;
    Hash128 dictionary;  ///< what the body's only part needs; zero: nothing
    std::vector<StoredBody::Part> parts;

    [[nodiscard]] bool needs_dictionary() const noexcept { return dictionary != Hash128{}; }
    void clear();
};

/// Why bytes are no record.
enum class Unreadable : std::uint8_t {
    no,       ///< they are one
    foreign,  ///< not ours
    version,  ///< of an older or newer Scrollgate
    cut,      ///< shorter or longer than they say
    broken,   ///< changed on the way, or never right
};
inline constexpr std::size_t unreadable_kinds = 5;
/// "foreign", for metrics.
[[nodiscard]] std::string_view token(Unreadable why) noexcept;

/// The bytes of `record`, which is as CacheEntry::make() would take it. Empty: its parts have more
/// than limits::redis_object_max bytes.
[[nodiscard]] std::string encode(const Record& record);
/// Into `into`, as views into `bytes`.
[[nodiscard]] Unreadable decode(std::string_view bytes, Record& into);

}  // namespace scrollgate::tier
