// Breaker: when a node is left alone, and for how long.
//
// It opens after limits::redis_missed deadlines in a row without an answer in time between them.
// Pauses double from limits::redis_pause to redis_pause_max, each shortened by dice by up to half,
// so that a fleet does not come back all at once; a node that has been up for
// limits::redis_proven starts over. One thread.
#pragma once

#include "core/clock.hpp"
#include "core/rng.hpp"

namespace scrollgate::redis {

class Breaker {
  public:
    /// An answer came by its deadline.
    void in_time() noexcept { missed_ = 0; }
    /// A deadline has passed. True: open, from now on.
    [[nodiscard]] bool late() noexcept;
    /// The node answers: it may be asked.
    void closed(TimePoint now) noexcept;
    /// It is no longer asked; how long to wait before the next try. The first try after a loss of
    /// a proven node comes almost at once, unless it was `slow`.
    [[nodiscard]] Duration opened(TimePoint now, Rng& rng, bool slow) noexcept;

  private:
    unsigned missed_ = 0;
    unsigned failures_ = 0;  ///< in a row
    TimePoint up_since_ = never;
};

}  // namespace scrollgate::redis
