// When requests are meant to start: the clock of an open loop, which does not wait for answers.
//
// A row of times is computed one by one, so that a server that is far behind costs no memory. One
// thread.
#pragma once

#include <vector>

#include "core/clock.hpp"
#include "core/rng.hpp"

namespace scrollgate::bench {

/// To the nearest nanosecond; no_limit if it is longer than 146 years.
[[nodiscard]] Duration duration_of(double nanoseconds) noexcept;

class Arrivals {
  public:
    enum class Kind : std::uint8_t { poisson, even };
    struct Step {
        double rate;      ///< per second, > 0
        Duration length;  ///< no_limit for ever
    };

    /// The step of the moment `at` after the start; behind the last one the last.
    [[nodiscard]] static std::size_t step_at(const std::vector<Step>& steps, Duration at) noexcept;
    /// Requests per second on average over the first `length`, which is more than 0.
    [[nodiscard]] static double mean_rate(const std::vector<Step>& steps, Duration length) noexcept;

    /// `steps` follow one another from `start` on. `share` of `shares` generators: even arrivals
    /// interleave. `rng` outlives this.
    Arrivals(Kind kind, std::vector<Step> steps, TimePoint start, unsigned share, unsigned shares,
             Rng& rng);

    /// The next intended start; `never` behind the last step.
    [[nodiscard]] TimePoint due() const noexcept { return due_; }
    void advance() noexcept;
    /// Leaves out all arrivals that are due before `end`; how many they were. Beyond a million,
    /// random ones are counted by their mean.
    [[nodiscard]] std::uint64_t skip_to(TimePoint end) noexcept;

  private:
    [[nodiscard]] double gap() noexcept;
    void enter_step(TimePoint start) noexcept;
    void set_due() noexcept;

    const Kind kind_;
    const std::vector<Step> steps_;
    const unsigned share_, shares_;
    Rng& rng_;
    std::size_t step_ = 0;
    TimePoint step_start_{}, step_end_{};
    double ns_ = 0;  ///< from the step's start to due_; whole nanoseconds would drift
    TimePoint due_{};
};

}  // namespace scrollgate::bench
