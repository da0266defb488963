// CacheStore::Impl: what the rooms of the store share (store.cpp, purging.cpp).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cache/miss_ratio.hpp"
#include "cache/store/hot_keys.hpp"
#include "cache/store/ledger.hpp"
#include "cache/store/purge_log.hpp"
#include "cache/store/shard.hpp"
#include "cache/store/store.hpp"

namespace scrollgate {

struct CacheStore::Impl {
    explicit Impl(const Clock& its_clock);

    /// As many shards as suit `memory`; nothing is stored yet.
    void make_shards(std::uint64_t memory);
    [[nodiscard]] Shard& shard_of(std::uint64_t hash) const noexcept {
        return *shards[static_cast<std::size_t>(hash >> 56U) & (shards.size() - 1)];
    }
    [[nodiscard]] Found look(const CacheKey& key, const HeaderList& request, bool counts) noexcept;
    /// Charges `bytes`, for which others leave if need be.
    [[nodiscard]] bool make_room(std::size_t bytes);
    [[nodiscard]] bool make_place();  ///< for one entry, by `max_entries`
    /// Lets one entry go; the bytes that this may have freed, 0 if there is none.
    [[nodiscard]] std::size_t evict_one();
    [[nodiscard]] std::size_t evict_from(Shard& shard, Eviction::Reach reach);
    /// It is `max_entries` that lets no more in; some may have left just now.
    [[nodiscard]] bool is_full_by_number() const noexcept;
    /// They are gone for good: no cache would have them.
    void forget(const Leaving& leaving);
    [[nodiscard]] std::uint64_t uses() const;
    void study();  ///< what trainers have gathered

    // -- purging.cpp
    [[nodiscard]] std::uint64_t chosen() const noexcept;
    std::size_t sweep_tag(const PurgeLog::Task& task, std::size_t most);
    std::size_t sweep_slots(std::size_t most);

    const Clock& clock;
    TimePoint begin;
    Ledger ledger;
    PurgeLog log{ledger};
    MissRatio ratio;
    HotKeys hot;
    std::atomic<std::uint64_t> max_entries{limits::unlimited};
    std::atomic<std::uint64_t> entries{0};   // counted before they are added
    std::atomic<std::uint64_t> reserved{0};  // bytes, by reserve()
    std::atomic<std::uint32_t> turn{0};      // which shard is asked next for a victim
    bool in_use = false;
    std::size_t expire_next = 0;                 // the shard with which expire() begins
    std::vector<std::unique_ptr<Shard>> shards;  // a power of two

    // Where the sweep is: of the tag with this number, or of a pass (control thread).
    struct {
        std::uint64_t number = 0;
        std::size_t shard = 0;
        std::size_t from = 0;
        PurgeLog::Pass pass;
    } tag_sweep, slot_sweep;

    mutable std::mutex trainers_mutex;
    std::map<std::string, DictionaryTrainer, std::less<>> trainers;
};

}  // namespace scrollgate
