// PendingQueue: requests of one worker that wait for room in pools at their limits. The one that
// has waited longest for a pool looks first; nobody who comes later is quicker (claim.cpp).
//
// What is freed wakes the first who waits for its pool, here or on another worker, by how many wait
// on each (Worker::hand_on()). Since limits are global and a wake-up may come to nothing, who waits
// also looks every few milliseconds (only under overload, so an idle process stays asleep). The
// wait and the number that may wait are bounded. One worker; no locks.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "balancer/endpoint.hpp"
#include "core/net/event_loop.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {

class PendingQueue {
  public:
    explicit PendingQueue(EventLoop& loop) noexcept : loop_(loop) {}

    /// A place among those that wait for room in some pools.
    class Place {
      public:
        Place() = default;
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place();
        /// To wait for the pools of `full`, beside those of before. `counts`: among those that wait
        /// for each (limits.pending, over all workers), which newcomers do not overtake; false if
        /// all of these queues are full. The endpoints may go meanwhile.
        [[nodiscard]] bool take(std::span<const Endpoint* const> full, bool counts);

      private:
        friend class PendingQueue;
        struct Pool {
            std::shared_ptr<PoolState> state;
            bool counted;
        };
        [[nodiscard]] bool waits_for(const PoolState& pool) const noexcept;

        std::vector<Pool> pools_;
        std::uint64_t turn_ = 0;  ///< the queue's, from its first wait on
    };

    /// With a place that was taken, and outlives it: waits for something to be freed, or a moment;
    /// shutting `gate` from outside calls it off.
    [[nodiscard]] Task<void> wait(Place& place, TimedGate& gate, TimePoint until);
    /// Something of `pool` was freed: the first that waits for it looks again. False: nobody does.
    bool wake_one(const PoolState& pool);
    /// Requests that wait for `pool`.
    [[nodiscard]] std::size_t waiting_for(const PoolState& pool) const noexcept;
    /// Nobody waits for `pool` who came before it.
    [[nodiscard]] bool is_first(const Place& place, const PoolState& pool) const noexcept;

  private:
    struct Waiting {
        std::uint64_t turn;
        const Place* place;
        TimedGate* gate;
    };

    EventLoop& loop_;
    std::deque<Waiting> waiting_;  ///< by turn
    std::uint64_t last_turn_ = 0;
};

}  // namespace scrollgate
