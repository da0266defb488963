// CacheEntry: one stored response. Immutable: indexed fields, a head that is serialised already,
// the body. Connections that are sending it hold a reference, so it outlives its place in the store.
//
// What changes is not the response but its standing in the store: links, use, and the purge
// position up to which it has been checked; those are atomics or under the shard's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "cache/freshness.hpp"
#include "cache/key.hpp"
#include "cache/store/body.hpp"
#include "core/header_list.hpp"

namespace scrollgate {

class CacheEntry;
/// A counted reference; any thread. Never null inside the store.
using EntryRef = boost::intrusive_ptr<const CacheEntry>;

/// What an entry is made from. Views; CacheEntry copies what they point to.
struct EntryDraft {
    std::string_view key;     ///< CacheKey::text
    std::uint64_t hash = 0;   ///< CacheKey::hash
    std::uint16_t status = 200;
    const HeaderList* fields = nullptr;  ///< those that are stored (is_stored_field())
    std::string_view vary;               ///< lines of append_vary(); empty: one variant
    Freshness freshness;
    std::span<const std::string_view> tags;  ///< Surrogate-Key, Cache-Tag; without repetitions
    BodyRef body;                            ///< null: a marker for hit-for-miss
    bool by_hand = false;                    ///< set through the API
    std::uint64_t purge_position = 0;        ///< CacheStore::purge_position() when its fill began
};

class CacheEntry {
  public:
    [[nodiscard]] std::string_view key() const noexcept;
    [[nodiscard]] std::uint64_t hash() const noexcept;
    [[nodiscard]] std::uint16_t status() const noexcept;
    /// "Name: value\r\n" for each stored field, in order; no Content-Length, Date is among them.
    [[nodiscard]] std::string_view wire() const noexcept;
    /// Appends the fields to `into`, as views that live as long as the entry.
    void fields(HeaderList& into) const;
    [[nodiscard]] std::string_view vary() const noexcept;
    [[nodiscard]] const Freshness& freshness() const noexcept;
    [[nodiscard]] std::vector<std::string_view> tags() const;
    [[nodiscard]] const StoredBody& body() const noexcept;
    [[nodiscard]] const BodyRef& body_ref() const noexcept;
    /// Says only that the key's responses cannot be shared at present; has neither fields nor body.
    [[nodiscard]] bool is_marker() const noexcept;
    [[nodiscard]] bool by_hand() const noexcept;
    /// Softly purged: to be validated before it is used.
    [[nodiscard]] bool softly_purged() const noexcept;
    /// Bytes of memory that are charged for it, the body included.
    [[nodiscard]] std::size_t charged() const noexcept;
};

}  // namespace scrollgate
