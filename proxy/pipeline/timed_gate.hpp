// TimedGate: holds one coroutine until it is opened, closed for good, or its time has come.
#pragma once

#include <coroutine>
#include <utility>

#include "core/net/event_loop.hpp"

namespace scrollgate {

class TimedGate final : private TimerWheel::Timer {
  public:
    enum class State : std::uint8_t { waiting, opened, timed_out, shut };

    explicit TimedGate(EventLoop& loop) noexcept : loop_(loop) {}

    /// Waiting again; nobody waits now.
    void reset() noexcept {
        disarm();
        state_ = State::waiting;
    }
    void open() { settle(State::opened); }
    void shut() { settle(State::shut); }
    [[nodiscard]] bool settled() const noexcept { return state_ != State::waiting; }
    [[nodiscard]] bool timed_out() const noexcept { return state_ == State::timed_out; }
    /// Who waits goes on with timed_out at `when`.
    void limit(TimePoint when) { loop_.arm(*this, when); }

    /// co_await gate.passed(): how the wait ended. One awaiter.
    auto passed() noexcept {
        struct Awaiter {
            TimedGate& gate;
            bool await_ready() const noexcept { return gate.state_ != State::waiting; }
            void await_suspend(std::coroutine_handle<> h) const noexcept { gate.waiter_ = h; }
            State await_resume() const noexcept { return gate.state_; }
        };
        return Awaiter{*this};
    }

  private:
    void expired() noexcept override { settle(State::timed_out); }
    void settle(State state) {
        if (state_ != State::waiting) return;
        state_ = state;
        disarm();
        if (waiter_) loop_.resume_later(std::exchange(waiter_, {}));
    }

    EventLoop& loop_;
    std::coroutine_handle<> waiter_;
    State state_ = State::waiting;
};

}  // namespace scrollgate
