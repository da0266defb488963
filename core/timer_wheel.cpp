#include "core/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace scrollgate {
namespace {

constexpr std::uint64_t no_tick = UINT64_MAX;

}  // namespace

void TimerWheel::Timer::unlink() noexcept {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
}

TimerWheel::List::List() noexcept {
    previous_ = next_ = this;
}
TimerWheel::List::~List() {
    while (pop() != nullptr) {
    }
    previous_ = next_ = nullptr;  // the sentinel is in no list of its own
}
bool TimerWheel::List::empty() const noexcept {
    return next_ == this;
}
void TimerWheel::List::push(Timer& timer) noexcept {
    timer.previous_ = previous_;
    timer.next_ = this;
    previous_->next_ = &timer;
    previous_ = &timer;
}
TimerWheel::Timer* TimerWheel::List::pop() noexcept {
    if (empty()) return nullptr;
    Timer* first = next_;
    first->unlink();
    return first;
}
void TimerWheel::List::take(List& other) noexcept {
    while (Timer* timer = other.pop())
        push(*timer);
}

TimerWheel::TimerWheel(std::uint32_t frequency, TimePoint base) noexcept
    : frequency_(frequency), base_(base) {}

TimerWheel::~TimerWheel() = default;

std::uint64_t TimerWheel::tick_at_or_after(TimePoint when) const noexcept {
    if (when <= base_) return 0;
    const auto elapsed = static_cast<unsigned __int128>((when - base_).count());
    const unsigned __int128 tick = (elapsed * frequency_ + 999'999'999U) / 1'000'000'000U;
    return static_cast<std::uint64_t>(tick);
}

TimePoint TimerWheel::time_of(std::uint64_t tick) const noexcept {
    const unsigned __int128 span =
        (static_cast<unsigned __int128>(tick) * 1'000'000'000U + frequency_ - 1) / frequency_;
    return base_ + Duration(static_cast<std::int64_t>(span));
}

void TimerWheel::arm(Timer& timer, TimePoint when) noexcept {
    timer.unlink();
    timer.due_ = std::max(tick_at_or_after(when), now_ + 1);
    place(timer);
}

void TimerWheel::place(Timer& timer) noexcept {
    // The level is that of the highest digit (base 64) in which due and now differ: the slot is
    // reached before the timer is due, and never a full turn too early.
    const std::uint64_t differing = timer.due_ ^ now_;
    unsigned level =
        differing == 0 ? 0 : static_cast<unsigned>(std::bit_width(differing) - 1) / bits;
    if (level >= levels) level = levels - 1;  // across the end of a turn of the topmost wheel
    std::uint64_t slot = timer.due_ >> (bits * level);
    if (level == levels - 1) {  // beyond the horizon: the farthest slot, and from there again
        slot = std::min(slot, (now_ >> (bits * level)) + slots - 1);
    }
    slot &= slots - 1;
    wheel_[level][slot].push(timer);
    occupied_[level] |= std::uint64_t{1} << slot;
}

std::uint64_t TimerWheel::next_tick() const noexcept {
    std::uint64_t best = no_tick;
    for (unsigned level = 0; level < levels; ++level) {
        while (occupied_[level] != 0) {
            // Distance in slots from the current one, 1..64; the current slot itself is a full turn
            // away (only the horizon case uses it or the one before).
            const std::uint64_t current = now_ >> (bits * level);
            const auto shift = static_cast<int>((current + 1) & (slots - 1));
            const int ahead = std::countr_zero(std::rotr(occupied_[level], shift));
            const std::uint64_t slot = (current + 1 + static_cast<unsigned>(ahead)) & (slots - 1);
            if (wheel_[level][slot].empty()) {
                occupied_[level] &= ~(std::uint64_t{1} << slot);
                continue;
            }
            best = std::min(best, (current + 1 + static_cast<unsigned>(ahead)) << (bits * level));
            break;
        }
    }
    return best;
}

TimePoint TimerWheel::next() const noexcept {
    const std::uint64_t tick = next_tick();
    return tick == no_tick ? never : time_of(tick);
}

void TimerWheel::cascade(unsigned level) noexcept {
    const std::uint64_t slot = (now_ >> (bits * level)) & (slots - 1);
    occupied_[level] &= ~(std::uint64_t{1} << slot);
    List waiting;
    waiting.take(wheel_[level][slot]);
    while (Timer* timer = waiting.pop()) {
        timer->due_ = std::max(timer->due_, now_);
        place(*timer);
    }
}

void TimerWheel::turn(TimePoint now) noexcept {
    if (now < base_) return;
    const auto elapsed = static_cast<unsigned __int128>((now - base_).count());
    const auto target = static_cast<std::uint64_t>(elapsed * frequency_ / 1'000'000'000U);
    while (now_ < target) {
        now_ = std::min(next_tick(), target);  // skips empty ticks
        for (unsigned level = levels - 1; level > 0; --level) {
            const std::uint64_t below = (std::uint64_t{1} << (bits * level)) - 1;
            if ((now_ & below) == 0) cascade(level);
        }
        const std::uint64_t slot = now_ & (slots - 1);
        occupied_[0] &= ~(std::uint64_t{1} << slot);
        List due;
        due.take(wheel_[0][slot]);
        while (Timer* timer = due.pop())
            timer->expired();
    }
}

}  // namespace scrollgate
