// TimerWheel: all timeouts of one worker (Varghese, Lauck 1987: hierarchical wheels).
//
// Four levels of 64 slots; a slot of the next level is as long as a whole turn of the one below.
// Arming, moving and disarming are O(1) and allocate nothing (timers are intrusive). The wheel is
// tickless: next() tells when it must be turned, so an idle process sleeps. A tick is computed from
// a fixed base, so rounding never adds up. A timer fires at or after its time, late by less than
// one tick. One worker; no locks.
#pragma once

#include <array>
#include <cstdint>

#include "core/clock.hpp"

namespace scrollgate {

class TimerWheel {
  public:
    /// Something with a time. Pinned in memory; leaves the wheel when destroyed.
    class Timer {
      public:
        Timer() = default;
        Timer(const Timer&) = delete;
        Timer& operator=(const Timer&) = delete;
        virtual ~Timer() { unlink(); }
        [[nodiscard]] bool armed() const noexcept { return next_ != nullptr; }
        void disarm() noexcept { unlink(); }

      private:
        friend class TimerWheel;
        /// The time has come; the timer is no longer armed and may be armed again or destroyed.
        virtual void expired() noexcept = 0;
        void unlink() noexcept;

        Timer* previous_ = nullptr;
        Timer* next_ = nullptr;
        std::uint64_t due_ = 0;  ///< tick
    };

    /// `frequency` in Hz (10-10,000); `base` is the present time.
    TimerWheel(std::uint32_t frequency, TimePoint base) noexcept;
    ~TimerWheel();
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    /// Arms or moves `timer`. A time that has passed fires at the next turn.
    void arm(Timer& timer, TimePoint when) noexcept;

    /// When turn() must be called at the latest; `never` if nothing is armed. May be earlier than
    /// the earliest timer (a coarser level has to be spread out first).
    [[nodiscard]] TimePoint next() const noexcept;

    /// Fires every timer whose time is at or before `now`.
    void turn(TimePoint now) noexcept;

  private:
    static constexpr unsigned levels = 4;
    static constexpr unsigned bits = 6;
    static constexpr std::uint64_t slots = 1U << bits;

    struct List final : Timer {
        List() noexcept;
        ~List() override;
        void expired() noexcept override {}
        [[nodiscard]] bool empty() const noexcept;
        void push(Timer& timer) noexcept;
        Timer* pop() noexcept;
        void take(List& other) noexcept;
    };

    [[nodiscard]] std::uint64_t tick_at_or_after(TimePoint when) const noexcept;
    [[nodiscard]] TimePoint time_of(std::uint64_t tick) const noexcept;
    void place(Timer& timer) noexcept;
    void cascade(unsigned level) noexcept;
    [[nodiscard]] std::uint64_t next_tick() const noexcept;

    std::uint64_t frequency_;
    TimePoint base_;
    std::uint64_t now_ = 0;  ///< every tick up to and including this one has been fired
    std::array<std::array<List, slots>, levels> wheel_;
    /// A set bit may stand for a slot that has become empty (timers unlink themselves); it is
    /// cleared when the slot is visited.
    mutable std::array<std::uint64_t, levels> occupied_{};
};

}  // namespace scrollgate
