// Positions: how far this node has followed the fleet's purges, and what of the tier it may use.
//
// The log's positions are the truth that entries in Redis are compared with (decision 24). Purges
// of the log are made in the store, in the log's order, and get numbers there; here stands which
// number belongs to which position, so that the store itself compares what comes from Redis with
// all that came after its fill began, as it does with a fill's response. For that the store keeps
// the purges of the positions that are known here.
//
// The follower writes; any thread reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "cache/store/store.hpp"
#include "cache/tier/log_record.hpp"
#include "core/clock.hpp"

namespace scrollgate::tier {

class Positions {
  public:
    /// The store outlives it.
    explicit Positions(CacheStore& store) noexcept : store_(store) {}
    ~Positions();
    Positions(const Positions&) = delete;
    Positions& operator=(const Positions&) = delete;

    // -- any thread
    /// Nothing of the log has been missed: the tier may be used.
    [[nodiscard]] bool in_step(TimePoint now) const noexcept {
        return now.time_since_epoch().count() < until_.load(std::memory_order_acquire);
    }
    /// Every purge up to here is in force. What is asked for from now on can be written with it; 0:
    /// nothing is followed.
    [[nodiscard]] Position followed() const noexcept {
        return followed_.load(std::memory_order_acquire);
    }
    /// The store's number that belongs to an entry's position: what is later must be compared with.
    /// Nothing: the entry is older than what is known, or newer; it cannot be compared.
    [[nodiscard]] std::optional<std::uint64_t> number_at(Position position) const;
    /// A purge of this node's own is about to be made in the store, and will be in the log: until
    /// own_ended() what comes from Redis is compared with it, whatever its position. Returns what
    /// own_ended() wants.
    [[nodiscard]] std::uint64_t own_began();
    void own_ended(std::uint64_t since);
    /// Of those that began, how many have not ended.
    [[nodiscard]] std::size_t own_under_way() const;
    /// Now by Redis's clock, as all nodes that follow the log know it, in milliseconds.
    [[nodiscard]] std::int64_t redis_ms(WallTime now) const noexcept;

    // -- the follower
    /// All that was known does not count any more: the log begins at `first`, which is followed by
    /// step().
    void begin();
    /// The purges up to `position` are in force, the last of which got `number` in the store. An
    /// own one has ended by then (own_ended()): until it has, nothing counts as later than it.
    void step(Position position, std::uint64_t number);
    /// The log has been heard of: in step until then. Time zero: no longer.
    void in_step_until(TimePoint until) noexcept {
        until_.store(until.time_since_epoch().count(), std::memory_order_release);
    }
    /// Redis's clock is ahead of ours by so much.
    void clock_is_ahead(std::int64_t milliseconds) noexcept {
        ahead_ms_.store(milliseconds, std::memory_order_relaxed);
    }

  private:
    void hold(std::uint64_t number);

    CacheStore& store_;
    std::atomic<std::int64_t> until_{0};
    std::atomic<Position> followed_{0};
    std::atomic<std::int64_t> ahead_ms_{0};
    mutable std::mutex mutex_;
    std::deque<std::pair<Position, std::uint64_t>> known_;  ///< ascending, both
    std::multiset<std::uint64_t> own_;  ///< numbers before own purges that the log has not told yet
    std::optional<std::uint64_t> held_;  ///< the store keeps all purges after this number
};

}  // namespace scrollgate::tier
