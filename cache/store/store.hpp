// CacheStore: all stored responses of the process, in memory, bounded in bytes and in number.
//
// Sharded by authority and target; a shard is a lock over a hash table, its eviction queues, its
// expiry wheel and its tags. A lock is held for a look-up, one insertion, or a slice of a sweep,
// never while anything is compressed, copied to a client, or freed. Eviction is S3-FIFO (Yang et
// al., SOSP 2023): a hit writes a few bits and moves nothing, and one scan cannot flush what is
// used again.
//
// Invariants: what is charged (entries, fills, dictionaries) never exceeds `memory`; an entry is in
// the store at most once; after purge() has returned no look-up gives what it covers, nor can a
// fill that began before it be inserted. No reference to an entry or a body outlives the store. Any
// thread, but where it says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.hpp"
#include "cache/purge.hpp"
#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/message.hpp"

namespace scrollgate {

struct CacheNumbers {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;      ///< charged: entries, tables, fills, dictionaries
    std::uint64_t bytes_raw = 0;  ///< content of the entries' bodies, as clients get it
    std::uint64_t capacity = 0;
    bool full_by_number = false;  ///< max_entries is what limits it, not the memory
    std::uint64_t evictions = 0, expirations = 0, writes = 0;
    std::uint64_t purged = 0;  ///< softly purged ones, too
};

/// "Should I buy more cache?"
struct HitRateAt {
    double times;     ///< so many times the memory, or, where that is the limit, max_entries
    double hit_rate;  ///< of an LRU cache of that size, as guessed from a sample of keys
};

class CacheStore {
  public:
    explicit CacheStore(const Clock& clock);
    ~CacheStore();
    CacheStore(const CacheStore&) = delete;
    CacheStore& operator=(const CacheStore&) = delete;

    /// Limits from the configuration; what is too much leaves. Control thread.
    void configure(const config::Cache& cache);

    struct Found {
        EntryRef entry;         ///< null: none for this request
        bool variants = false;  ///< there are entries for the key, for other requests
    };
    /// The newest entry for `key` whose variant `request` would choose. Counts as a use.
    [[nodiscard]] Found find(const CacheKey& key, const HeaderList& request) noexcept;
    /// The same without counting; for the API and `explain`.
    [[nodiscard]] Found peek(const CacheKey& key, const HeaderList& request) const noexcept;
    /// Up to `most` of the entries for `key`, whichever request would choose them, the newest
    /// first.
    [[nodiscard]] std::vector<EntryRef> variants(const CacheKey& key, std::size_t most) const;

    /// Stores it in place of the entry of the same key and variant. Null: a purge came since
    /// draft.purge_position, or what is in place is newer (overtaken), there is no room
    /// (no_memory), or its fields, Vary lines or tags are beyond limits::cache_fields (too_large).
    /// A position that nobody holds by fill_began() may be too old to be compared; then it is
    /// overtaken, too.
    struct Inserted {
        EntryRef entry;
        CacheReason reason = CacheReason::none;
    };
    Inserted insert(const EntryDraft& draft);
    /// Takes it out; false if it was out already.
    bool remove(const CacheEntry& entry);

    /// Room for bytes that are not an entry yet. It is made by eviction, too, as long as all of
    /// them together are at most half of the memory: what is on its way must not empty the store.
    /// False: there is none.
    [[nodiscard]] bool reserve(std::size_t bytes);
    void release(std::size_t bytes) noexcept;

    // -- purging (purge.hpp)
    /// Something may be stored that a purge of the URL `what` (Purge::what) would cover; always
    /// true while there are keys with chosen lines, which stand elsewhere.
    [[nodiscard]] bool may_hold(std::string_view what) const;
    /// The number of the last purge: a fill notes it before it asks the origin.
    [[nodiscard]] std::uint64_t purge_position() const noexcept;
    /// Some purge after position `since` covers the key, or may do so (by tag). For joining a fill.
    [[nodiscard]] bool overtaken(std::string_view key, std::uint64_t since) const;
    /// From now on nothing that it covers is found or inserted. Returns its number; nothing if
    /// limits::purge_rules are under way.
    [[nodiscard]] std::optional<std::uint64_t> purge(const Purge& purge);
    /// Gives back the memory of what is purged, for about `most` entries. True: nothing is left to
    /// sweep. One thread at a time.
    bool sweep(std::size_t most);
    /// Objects that purge `number` covered, once it has been swept. Of long past ones 0: the counts
    /// of the last limits::purges_told are kept, so with more under way at a time it may be too
    /// few.
    [[nodiscard]] std::optional<std::uint64_t> purged_by(std::uint64_t number) const;
    /// Fills under way count here, so that purges that they must be compared with are kept.
    void fill_began(std::uint64_t position);
    void fill_ended(std::uint64_t position);

    /// Lets go of what has expired and may not be used stale any more, and makes the dictionaries
    /// for which enough was gathered. Bounded work; about once per second. Control thread.
    void expire();

    /// Learns from the bodies of `partition`, and has its dictionary. Lives as long as the store.
    [[nodiscard]] DictionaryTrainer& trainer(std::string_view partition);

    [[nodiscard]] CacheNumbers numbers() const;
    /// No entry is in it at this moment.
    [[nodiscard]] bool is_empty() const noexcept;
    /// At half, the same, double and four times what limits it.
    [[nodiscard]] std::array<HitRateAt, 4> hit_rates() const;
    /// A key with this hash (CacheKey) was used; one of a sample, which stands for `uses`.
    void count_demand(std::uint64_t hash, std::uint32_t uses) noexcept;
    /// The `most` keys that are used most: by count_demand(), the most used first, then as far as
    /// eviction knows. Slow: for the file of the hottest.
    [[nodiscard]] std::vector<std::string> hottest(std::size_t most) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
