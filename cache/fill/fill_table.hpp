// FillTable: the fills under way, by key, so that concurrent misses make one request.
//
// Sharded; a mutex per shard, held for a look-up. Lock order: fill table, then store.
#pragma once

#include "cache/fill/fill.hpp"

namespace scrollgate {

class FillTable {
  public:
    explicit FillTable(CacheStore& store);
    ~FillTable();

    struct Joined {
        FillRef fill;          ///< null: `entry` is there meanwhile
        bool leads = false;    ///< the caller must ask the origin, and end the fill
        EntryRef entry;        ///< stored since the caller looked
    };
    /// The fill that suits `request`, or a new one that the caller leads. `not_older`: an entry with
    /// an older purge position or an equal identity to it does not count as stored since.
    [[nodiscard]] Joined join_or_lead(const CacheKey& key, const HeaderList& request,
                                      const CacheEntry* known);
    /// A new fill of its own, whoever else fills the key: for refreshes and followers that were sent
    /// away. Others may join it.
    [[nodiscard]] FillRef lead(const CacheKey& key, const HeaderList& request);
    /// The leader is done with it: nobody joins any more. Entries are in the store before.
    void leave(const Fill& fill) noexcept;
    /// Fills under way, and requests that wait for one now.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t waiting() const;
};

}  // namespace scrollgate
