// PendingQueue: requests of one worker that wait for room in pools at their limits. The one that
// has waited longest for a pool looks first; a request that comes just then may be quicker.
//
// What is freed on this worker wakes its own pool's queue at once. Limits are global, so room may
// also come up on another worker: who waits looks again every few milliseconds (only under
// overload, so an idle process stays asleep). The wait and the number that may wait are bounded.
// One worker; no locks.
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
    };

    /// With a place that was taken: waits for something to be freed, or a moment; shutting `gate`
    /// from outside calls it off.
    [[nodiscard]] Task<void> wait(const Place& place, TimedGate& gate, TimePoint until);
    /// Something of `pool` was freed on this worker: the first that waits for it looks again. If
    /// nobody does, the first of all: its route may go there, too.
    void wake_one(const PoolState& pool);

  private:
    struct Waiting {
        const PoolState* pool;
        TimedGate* gate;
    };

    EventLoop& loop_;
    std::deque<Waiting> waiting_;
};

}  // namespace scrollgate
