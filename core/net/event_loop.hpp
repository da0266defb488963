// EventLoop: one thread's reactor with its timers, receive buffers and dice.
//
// Wraps one io_context (concurrency hint UNSAFE_IO: reactor locks off, post() from other threads
// stays legal) and the thread's TimerWheel. Everything but post() and stop() belongs to the thread
// that calls run().
#pragma once

#include <coroutine>
#include <functional>
#include <memory>

#include "core/buffer_pool.hpp"
#include "core/clock.hpp"
#include "core/rng.hpp"
#include "core/timer_wheel.hpp"

namespace boost::asio {
class io_context;
}

namespace scrollgate {

class EventLoop {
  public:
    /// `frequency` of the timer wheel in Hz. The clock outlives the loop.
    EventLoop(const Clock& clock, std::uint64_t seed, std::uint32_t frequency);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Serves until stop(), or until nothing is left to do and nobody holds keep_running().
    void run();
    /// Runs what is ready, without waiting; for tests. True if anything ran.
    bool poll();
    /// Fires the timers that are due by the clock; run() does this by itself.
    void turn_timers();
    /// Makes run() return soon. Any thread.
    void stop();
    /// Runs `work` on the loop's thread, later. Any thread.
    void post(std::function<void()> work);
    /// Resumes `waiting` through the loop's queue, so that others get their turn.
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
    void arm(TimerWheel::Timer& timer, TimePoint when);
    [[nodiscard]] BufferPool& small_buffers() noexcept { return small_; }
    [[nodiscard]] BufferPool& bulk_buffers() noexcept { return bulk_; }
    [[nodiscard]] boost::asio::io_context& context() noexcept;

  private:
    struct Impl;

    void sleep_until_next();

    const Clock& clock_;
    FastRng rng_;
    TimerWheel wheel_;
    BufferPool small_, bulk_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
