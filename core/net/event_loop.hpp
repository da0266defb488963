// EventLoop: one thread's reactor with its timers, receive buffers and dice.
//
// A set of descriptors (epoll) and the thread's TimerWheel. It goes round in turns: wait for
// events, hand each to its handler, run what was put off until later, fire the timers that are due.
// Everything but post() and stop() belongs to the thread that calls run().
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <functional>
#include <mutex>
#include <vector>

#include <sys/epoll.h>

#include "core/buffer_pool.hpp"
#include "core/clock.hpp"
#include "core/net/pipe_pool.hpp"
#include "core/net/stream.hpp"
#include "core/rng.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate {

/// Whoever watches a descriptor.
class ReadinessHandler {
  public:
    /// `events` are epoll's (EPOLLIN…). May forget or destroy any handler, this one too.
    virtual void ready(std::uint32_t events) noexcept = 0;

  protected:
    ~ReadinessHandler() = default;
};

class EventLoop {
  public:
    /// `frequency` of the timer wheel in Hz. The clock outlives the loop. Throws std::system_error
    /// if the process has no descriptor left.
    EventLoop(const Clock& clock, std::uint64_t seed, std::uint32_t frequency);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Serves until stop().
    void run();
    /// Takes one turn without waiting and without timers; for tests and the end. True if anything
    /// ran.
    bool poll();
    /// Fires the timers that are due by the clock; run() does this by itself.
    void turn_timers() noexcept;
    /// Makes run() return soon. Any thread.
    void stop() noexcept;
    /// Runs `work` on the loop's thread, later. Any thread.
    void post(std::function<void()> work);

    /// `handler` hears of `events` (epoll's; with EPOLLET once per change) of `descriptor`, the
    /// present ones included. The error is that of epoll_ctl.
    [[nodiscard]] boost::system::error_code watch(int descriptor, std::uint32_t events,
                                                  ReadinessHandler& handler) noexcept;
    /// No more events of `descriptor`, which stays open.
    void unwatch(int descriptor, ReadinessHandler& handler) noexcept;
    /// No more events for `handler` in this turn. Enough when its descriptor is closed at once,
    /// because the kernel forgets that by itself.
    void forget(ReadinessHandler& handler) noexcept;

    /// Calls handler.done(result) in a later step.
    void complete_later(IoHandler& handler, const IoResult& result);
    /// Resumes `waiting` in a later step, so that others get their turn.
    void resume_later(std::coroutine_handle<> waiting);
    /// co_await loop.yield(): the other ready connections go first.
    auto yield() noexcept {
        struct Awaiter {
            EventLoop& loop;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> h) const { loop.resume_later(h); }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }

    [[nodiscard]] TimePoint now() const noexcept { return clock_.now(); }
    [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
    [[nodiscard]] Rng& rng() noexcept { return rng_; }
    /// Arms a timer; wakes the loop in time for it.
    void arm(TimerWheel::Timer& timer, TimePoint when) noexcept;
    [[nodiscard]] BufferPool& small_buffers() noexcept { return small_; }
    [[nodiscard]] BufferPool& bulk_buffers() noexcept { return bulk_; }
    /// Small ones for connections that many share, while no other is free (decision 6).
    [[nodiscard]] BufferPool& spare_buffers() noexcept { return spare_; }
    /// What such a connection writes from: a large one if that is wanted and there is one, else a
    /// small or a spare one. Empty if there is none of these either.
    [[nodiscard]] BufferLease shared_buffer(bool large_wanted) noexcept;
    /// Each for one block of a stored body that is compressed.
    [[nodiscard]] BufferPool& block_buffers() noexcept { return blocks_; }
    [[nodiscard]] PipePool& pipes() noexcept { return pipes_; }

  private:
    /// What was put off: a coroutine to resume, or a completion.
    struct Step {
        std::coroutine_handle<> waiting;
        IoHandler* handler = nullptr;
        IoResult result;
    };

    bool turn(int timeout_ms);
    void run_posted();
    void run_steps();
    [[nodiscard]] int sleep_ms() const noexcept;

    const Clock& clock_;
    FastRng rng_;
    TimerWheel wheel_;
    TimePoint wakes_ = never;  ///< when the wheel must be turned next, or earlier
    BufferPool small_, bulk_, spare_, blocks_;
    PipePool pipes_;

    int epoll_;
    int bell_;  ///< an eventfd that other threads ring
    std::array<epoll_event, 64> events_;
    int event_ = 0, event_count_ = 0;  ///< those of this turn from event_ on are still to come
    std::vector<Step> steps_, steps_running_;

    std::atomic<bool> stopped_ = false;
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;  ///< under mutex_
};

}  // namespace scrollgate
