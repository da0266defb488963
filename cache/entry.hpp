// CacheEntry: one stored response. Immutable: fields, a head that is serialised already, the body.
// Connections that are sending it hold a reference, so it outlives its place in the store (but not
// the store itself, whose ledger it is charged to).
//
// What changes is not the response but its standing in the store: which slot it has, and the purge
// position up to which it has been checked, both under the shard's lock; that it was softly purged,
// an atomic. It is one piece of memory: this structure in one cache line, then key, head, Vary
// lines and tags, then the body if it is small.
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
#include "cache/store/ledger.hpp"
#include "core/header_list.hpp"

namespace scrollgate {

class CacheEntry;
/// A counted reference; any thread. Never null inside the store.
using EntryRef = boost::intrusive_ptr<const CacheEntry>;

/// What an entry without a body says of the key's responses: they cannot be shared at present.
enum class Marker : std::uint8_t {
    none,    ///< it has a body
    weak,    ///< waiting for somebody else's is in vain, but each may store what it gets
    strong,  ///< each is for one client; the first that is for everybody makes the marker weak
    firm,    ///< they are too large, which no head need tell: it lasts
};

/// What an entry is made from. Views; CacheEntry copies what they point to.
struct EntryDraft {
    std::string_view key;  ///< CacheKey::text
    std::uint16_t status = 200;
    const HeaderList* fields = nullptr;  ///< those that are stored (is_stored_field())
    std::string_view vary;               ///< lines of append_vary(); empty: one variant
    Freshness freshness;
    std::span<const std::string_view> tags;  ///< Surrogate-Key, Cache-Tag; without repetitions
    BodyRef body;                            ///< null: `marker` says what it is
    Marker marker = Marker::strong;          ///< without a body
    bool by_hand = false;                    ///< set through the API
    std::uint64_t purge_position = 0;        ///< CacheStore::purge_position() when its fill began
    const CacheEntry* instead_of = nullptr;  ///< stored only while this one is; null: in any case
};

class CacheEntry {
  public:
    CacheEntry(const CacheEntry&) = delete;
    CacheEntry& operator=(const CacheEntry&) = delete;

    [[nodiscard]] std::string_view key() const noexcept { return {text(), key_size_}; }
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
    /// "Name: value\r\n" for each stored field, in order; no Content-Length, Date is among them.
    [[nodiscard]] std::string_view wire() const noexcept {
        return {text() + key_size_, wire_size_};
    }
    /// Appends the fields to `into`, as views that live as long as the entry.
    void fields(HeaderList& into) const;
    [[nodiscard]] std::string_view vary() const noexcept {
        return {text() + key_size_ + wire_size_, vary_size_};
    }
    [[nodiscard]] const Freshness& freshness() const noexcept { return freshness_; }
    [[nodiscard]] std::vector<std::string_view> tags() const;
    /// Not of a marker.
    [[nodiscard]] const StoredBody& body() const noexcept;
    /// The body, to be kept by another entry; null for a marker.
    [[nodiscard]] BodyRef body_ref() const noexcept;
    /// Has neither fields nor body; its status is that of the answer that it was made from.
    [[nodiscard]] bool is_marker() const noexcept { return marker_ != Marker::none; }
    [[nodiscard]] Marker marker() const noexcept { return marker_; }
    [[nodiscard]] bool by_hand() const noexcept { return by_hand_; }
    /// Set-Cookie is among the fields: only for routes that store it.
    [[nodiscard]] bool sets_cookie() const noexcept { return sets_cookie_; }
    /// Softly purged: to be validated before it is used.
    [[nodiscard]] bool softly_purged() const noexcept {
        return soft_.load(std::memory_order_relaxed);
    }
    /// Bytes of memory that are charged for it, the body included.
    [[nodiscard]] std::size_t charged() const noexcept { return own_bytes() + body_bytes(); }

    // -- for the store

    /// Where a tag's list knows this entry; under the shard's lock.
    struct TagPlace {
        void* list;
        std::uint32_t position;
    };

    /// One reference, which is the caller's. Null: fields, Vary lines or tags exceed
    /// limits::cache_fields, tags limits::cache_tags or cache_tag_bytes, or the key cache_key.
    [[nodiscard]] static EntryRef make(const EntryDraft& draft);
    /// Bytes of this piece of memory, and of the body if it is another one.
    [[nodiscard]] std::size_t own_bytes() const noexcept;
    [[nodiscard]] std::size_t body_bytes() const noexcept;
    [[nodiscard]] std::size_t tag_count() const noexcept { return tag_count_; }
    [[nodiscard]] TagPlace* tag_places() const noexcept;
    /// Calls `use(tag, i)` for each tag.
    template <class Use>
    void each_tag(Use&& use) const;
    void mark_softly_purged() const noexcept { soft_.store(true, std::memory_order_relaxed); }

    // Under the shard's lock, while it is in the store:
    [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
    void set_slot(std::uint32_t slot) const noexcept { slot_ = slot; }
    [[nodiscard]] std::uint64_t checked() const noexcept { return standing_.checked; }
    void set_checked(std::uint64_t position) const noexcept { standing_.checked = position; }
    /// It has left the store: its last reference gives own_bytes() back to `ledger`.
    void leave(Ledger& ledger) const noexcept { standing_.ledger = &ledger; }

    friend void intrusive_ptr_add_ref(const CacheEntry* entry) noexcept;
    friend void intrusive_ptr_release(const CacheEntry* entry) noexcept;

  private:
    struct Sizes;

    CacheEntry(const EntryDraft& draft, const Sizes& sizes) noexcept;
    ~CacheEntry();
    void end() const noexcept;
    void write_text(const EntryDraft& draft) noexcept;
    [[nodiscard]] const char* behind() const noexcept {
        return reinterpret_cast<const char*>(this + 1);
    }
    [[nodiscard]] const char* text() const noexcept {
        return behind() + tag_count_ * sizeof(TagPlace) + (body_outside_ ? sizeof(void*) : 0);
    }
    [[nodiscard]] const char* tag_text() const noexcept {
        return text() + key_size_ + wire_size_ + vary_size_;
    }

    mutable std::atomic<std::uint32_t> count_{0};
    std::uint16_t status_;
    Marker marker_ : 2;
    bool by_hand_ : 1;
    bool sets_cookie_ : 1;
    bool body_outside_ : 1;
    mutable std::atomic<bool> soft_{false};
    Freshness freshness_;
    mutable union Standing {
        std::uint64_t checked;  // in the store
        Ledger* ledger;         // before (null) and after
    } standing_{0};
    mutable std::uint32_t slot_ = 0;
    std::uint16_t key_size_;
    std::uint16_t wire_size_;
    std::uint16_t vary_size_;
    std::uint16_t tags_size_;
    std::uint8_t tag_count_;
    // Behind it: a TagPlace per tag, the body's address if it is outside, the texts (tags with
    // their length in front), the body if it is inside.
};
static_assert(sizeof(CacheEntry) == 64, "one cache line");

template <class Use>
void CacheEntry::each_tag(Use&& use) const {
    const char* at = tag_text();
    for (std::size_t i = 0; i < tag_count_; ++i) {
        std::uint16_t size;
        __builtin_memcpy(&size, at, sizeof(size));
        use(std::string_view(at + sizeof(size), size), i);
        at += sizeof(size) + size;
    }
}

}  // namespace scrollgate
