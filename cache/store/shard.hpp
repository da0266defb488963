// Shard: one part of the store, with a lock of its own.
//
// All of it is under `lock`, which the store takes. What leaves is given to the caller, who lets go
// of it after unlocking, for that may free memory.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "cache/store/eviction.hpp"
#include "cache/store/expiry_wheel.hpp"
#include "cache/store/key_place.hpp"
#include "cache/store/purge_log.hpp"
#include "cache/store/slot_index.hpp"
#include "cache/store/slots.hpp"
#include "cache/store/spin_lock.hpp"
#include "cache/store/tag_index.hpp"

namespace scrollgate {

/// What was taken out under a lock, to be let go of after it.
using Leaving = boost::container::small_vector<EntryRef, 8>;

class Shard {
  public:
    struct Counts {
        std::uint64_t evictions = 0, expirations = 0, writes = 0, purged = 0;
        std::uint64_t uses = 0;  // look-ups that found something, and insertions of what was absent
        std::uint64_t content = 0;  // bytes of all bodies, not compressed
    };

    /// `begin`: of the store, from which the wheel counts.
    /// `entries` is counted down for each that leaves; who adds one has counted it.
    Shard(Ledger& ledger, PurgeLog& log, std::atomic<std::uint64_t>& entries, TimePoint begin,
          TimePoint now);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// The slot for a key and a variant; Slots::none. Takes out what turns out to be purged.
    struct Match {
        std::uint32_t slot = Slots::none;
        bool variants = false;  // the key is there, with others
    };
    /// For what a request would choose; markers are for every one of them.
    Match find(const CacheKey& key, const HeaderList& request, Leaving& leaving);
    /// Adds up to `most` of those for a key, the newest first.
    void variants(const CacheKey& key, std::size_t most, std::vector<EntryRef>& found,
                  Leaving& leaving);
    void use(std::uint32_t slot) noexcept { eviction_.use(slots_[slot]); }

    /// Puts `entry` in place of the one with the same key and variant (to which it becomes the
    /// newest of its key), or as a new one; the oldest of too many variants leaves. Reasons: none,
    /// overtaken. `draft` is what `entry` was made from.
    struct Put {
        CacheReason reason = CacheReason::none;
        bool added = false;
    };
    Put put(EntryRef entry, const KeyPlace& place, const EntryDraft& draft, Leaving& leaving);
    /// Takes out `entry`, whose place has this hash. False: it is not there.
    bool remove(const CacheEntry& entry, std::uint64_t hash, Leaving& leaving);

    /// Lets one go. False: there is none within `reach`.
    bool evict(Eviction::Reach reach, Leaving& leaving);
    /// Lets go of what is past all use, for up to `budget` moves. True: nothing is left to do.
    bool expire(TimePoint now, unsigned& budget, Leaving& leaving);

    // -- purging
    /// Something may stand in the chain of a URL.
    [[nodiscard]] bool holds_url(const KeyPlace& place) const noexcept;
    /// Compares all that stand in the chain of a URL.
    void settle_url(const KeyPlace& place, Leaving& leaving);
    /// Compares up to `most` of those with a tag, from position `from` on downwards. Where to go
    /// on; 0: done.
    std::size_t settle_tag(std::string_view tag, std::size_t from, std::size_t most,
                           Leaving& leaving);
    /// Compares those in the slots from `from` on, for `most` slots. Where to go on; 0: done.
    std::uint32_t settle_slots(std::uint32_t from, std::uint32_t most, bool chosen_only,
                               Leaving& leaving);

    /// Adds to `found` the responses whose keys have this place (KeyPlace). Takes the lock.
    void placed_at(std::uint64_t hash, std::vector<EntryRef>& found) const;
    /// Adds to `found` the responses in `most` slots from `from` on that are used as much as `rank`
    /// says: 0 to 2 * Slot::use_most + 1. Takes the lock. False: there are no more slots.
    [[nodiscard]] bool used_at(unsigned rank, std::uint32_t from, std::uint32_t most,
                               std::vector<EntryRef>& found) const;

    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
    void count_use() noexcept { ++counts_.uses; }
    [[nodiscard]] std::uint32_t entries() const noexcept { return slots_.used(); }
    [[nodiscard]] std::uint64_t chosen() const noexcept { return chosen_.load(); }
    /// Bytes in its queues; without the lock it is a guess.
    [[nodiscard]] std::size_t weight() const noexcept {
        return weight_.load(std::memory_order_relaxed);
    }
    /// Of weight() what is new.
    [[nodiscard]] std::size_t new_weight() const noexcept {
        return new_weight_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] Slots& slots() noexcept { return slots_; }
    /// At most what its tables grow by for one entry.
    [[nodiscard]] std::size_t growth(const CacheEntry& entry) const noexcept;

    alignas(64) mutable SpinLock lock;

  private:
    enum class Why : std::uint8_t { replaced, removed, evicted, expired, purged };

    [[nodiscard]] std::uint64_t second(TimePoint at) const noexcept;
    [[nodiscard]] std::uint64_t due(const CacheEntry& entry) const noexcept;
    /// A live entry set by hand has the key of `entry`.
    [[nodiscard]] bool holds(const CacheEntry& entry) const noexcept;
    [[nodiscard]] bool is_held(std::uint32_t tag, const CacheEntry& entry, Leaving& leaving);
    [[nodiscard]] std::uint32_t find_variant(std::uint32_t tag, const CacheEntry& entry,
                                             Leaving& leaving);
    void add(EntryRef entry, std::uint32_t tag, bool chosen);
    void replace(std::uint32_t slot, EntryRef entry, Leaving& leaving);
    void take_out(std::uint32_t slot, Why why, Leaving& leaving);
    void let_go(const CacheEntry* entry, Leaving& leaving);
    void count_out(Why why) noexcept;
    /// Compares the slot's entry with the purges up to `needed`, if it was not. False: one covers
    /// it, and it is out.
    bool settle(std::uint32_t slot, std::uint64_t needed, Leaving& leaving);
    [[nodiscard]] std::size_t ghost_bytes() const noexcept;
    void charge_tables();
    void tell_weight() noexcept;

    Ledger& ledger_;
    PurgeLog& log_;
    std::atomic<std::uint64_t>& entries_;
    TimePoint begin_;
    Slots slots_;
    SlotIndex index_;
    Eviction eviction_;
    ExpiryWheel wheel_;
    TagIndex tags_;
    Counts counts_;
    std::atomic<std::uint64_t> chosen_{0};
    std::atomic<std::size_t> weight_{0};
    std::atomic<std::size_t> new_weight_{0};
    std::size_t charged_ = 0;  // for the tables
};

}  // namespace scrollgate
