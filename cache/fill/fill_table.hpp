// FillTable: the fills under way, by key, so that concurrent misses make one request.
//
// Sharded; a mutex per shard, held for a look-up. Any thread. Lock order: fill table, fill, store.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "cache/fill/fill.hpp"

namespace scrollgate {

class FillTable {
  public:
    /// The store outlives it.
    explicit FillTable(CacheStore& store) noexcept : store_(store) {}
    FillTable(const FillTable&) = delete;
    FillTable& operator=(const FillTable&) = delete;

    struct Joined {
        FillRef fill;        ///< null: `entry` is there meanwhile, or there are too many fills
        bool leads = false;  ///< the caller must ask the origin, end the fill and leave()
        EntryRef entry;      ///< stored since the caller looked; to be judged as if found then
    };
    struct Wanted {
        const CacheEntry* known = nullptr;  ///< what the caller found in the store
        /// What it may not use does not count as stored (is_for_route()). Null: all does.
        const config::RouteCache* route = nullptr;
        /// Which Vary lines are the request's, where its fields alone do not tell; takes no lock.
        Fill::Chooses chooses{};
        /// The lines by which the request is expected to be answered, if that is known, so that
        /// variants do not wait for each other.
        std::string_view variant{};
        bool closed = false;        ///< a fill that the caller leads is Fill::closed()
        bool joins_closed = false;  ///< any fill will do: the caller does not wait for it
    };
    /// The fill that suits `request` and began after every purge that may cover it, or else an
    /// entry that is in the store and is not `known`, or else a new fill that the caller leads.
    /// Neither fill nor entry: limits::fills or limits::fills_of_key are under way; the request
    /// goes on without the cache.
    [[nodiscard]] Joined join_or_lead(const CacheKey& key, const HeaderList& request,
                                      const Wanted& wanted);
    /// A new fill of its own, whoever else fills the key: for followers that were sent away. Others
    /// may join it, unless it is `closed`. Null: too many, as above.
    [[nodiscard]] FillRef lead(const CacheKey& key, std::string_view variant = {},
                               bool closed = false);
    /// The leader is done with it, or it is private: nobody joins any more. What is to be found
    /// instead is in the store before. Does nothing the second time.
    void leave(const Fill& fill) noexcept;
    /// Fills under way.
    [[nodiscard]] std::size_t size() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    /// Whether one of them may be for the URL that a purge says (Purge::what), in any partition.
    [[nodiscard]] bool may_fill(std::string_view what) const;
    /// Requests that wait for one of them now, for its head or for bytes. Slow; for the gauge.
    [[nodiscard]] std::size_t waiting() const;

  private:
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_multimap<std::uint64_t, FillRef> fills;  ///< by hash of the key
    };
    static constexpr std::size_t shards = 64;

    [[nodiscard]] Shard& shard_of(std::uint64_t hash) noexcept {
        return shards_[(hash >> 32) % shards];
    }
    [[nodiscard]] const Shard& shard_of(std::uint64_t hash) const noexcept {
        return shards_[(hash >> 32) % shards];
    }
    [[nodiscard]] FillRef add(Shard& shard, const CacheKey& key, std::string_view variant,
                              bool closed);

    CacheStore& store_;
    std::array<Shard, shards> shards_;
    std::atomic<std::size_t> count_ = 0;
    std::atomic<std::size_t> chosen_ = 0;  ///< of keys with chosen lines (key_place.hpp)
};

}  // namespace scrollgate
