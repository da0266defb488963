// PendingQueue: requests of one worker that wait for room in pools at their limits. The one that
// has waited longest for a pool looks first; nobody who comes later is quicker (claim.cpp).
//
// What is freed wakes the first who waits for its pool, here or on another worker, by how many wait
// on each (Worker::hand_on()). Since limits are global and a wake-up may come to nothing, who waits
// also looks every few milliseconds (only under overload, so an idle process stays asleep). The
// wait and the number that may wait are bounded. One worker; no locks.
#pragma once

#include <deque>

#include "balancer/endpoint.hpp"
#include "core/net/event_loop.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {

class PendingQueue {
  public:
    explicit PendingQueue(EventLoop& loop) noexcept : loop_(loop) {}

    /// A place among those that wait for `endpoint`'s pool (limits.pending, over all workers).
    class Place {
      public:
        Place() = default;
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place();
        /// False if the queue is full. Once taken, it stays taken. `endpoint` may go meanwhile.
        [[nodiscard]] bool take(const Endpoint& endpoint) noexcept;

      private:
        friend class PendingQueue;
        std::shared_ptr<PoolState> pool_;
        std::uint64_t turn_ = 0;  ///< the queue's, from its first wait on
    };

    /// With a place that was taken: waits for something to be freed, or a moment; shutting `gate`
    /// from outside calls it off.
    [[nodiscard]] Task<void> wait(Place& place, TimedGate& gate, TimePoint until);
    /// Something of `pool` was freed: the first that waits for it looks again. If nobody does, the
    /// first of all: its route may go there, too. False: nobody waits.
    bool wake_one(const PoolState& pool);
    /// Nobody waits who came before it.
    [[nodiscard]] bool is_first(const Place& place) const noexcept {
        return waiting_.empty() || place.turn_ < waiting_.front().turn;
    }
    /// Requests that wait.
    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

  private:
    struct Waiting {
        std::uint64_t turn;
        const PoolState* pool;
        TimedGate* gate;
    };

    EventLoop& loop_;
    std::deque<Waiting> waiting_;  ///< by turn
    std::uint64_t last_turn_ = 0;
};

}  // namespace scrollgate
