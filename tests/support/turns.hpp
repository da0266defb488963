// The turns of a loop that a test makes by hand.
#pragma once

#include "core/clock.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate::test {

/// Runs `loop` until nothing is left to do, without waiting.
inline void settle(EventLoop& loop) {
    while (loop.poll()) {
    }
}

/// Lets `by` go by on the `clock` of `loop`, at once, and does all that is due then.
inline void pass(EventLoop& loop, ManualClock& clock, Duration by) {
    clock.advance(by);
    loop.turn_timers();
    settle(loop);
}

}  // namespace scrollgate::test
