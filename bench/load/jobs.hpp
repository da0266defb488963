// Jobs: what a worker asks for next, and when.
//
// Three sources: a closed loop (the next request as soon as a connection is free), an open loop
// (when its time has come, whoever is free), and a replay (the rows of a log at their times, or one
// after another). One worker; no locks.
#pragma once

#include <optional>

#include "bench/load/keys.hpp"
#include "bench/plan/plan.hpp"

namespace scrollgate::bench {

/// One request to be made. Views into the plan.
struct Job {
    TimePoint intended{};
    TimePoint taken{};  ///< not before `intended`
    std::uint8_t method = 0;
    std::string_view before, after;  ///< the target, around the number
    std::uint64_t number = 0;
    bool numbered = false;  ///< the target has a number
};

/// Appends the target of `job`.
void append_target(std::string& out, const Job& job);

class Jobs {
  public:
    /// The part of worker `index` of `plan.workers`; `plan` and `rng` outlive this. Nothing starts
    /// at or after `end`.
    Jobs(const Plan& plan, unsigned index, TimePoint start, TimePoint end, Rng& rng);

    /// When the next request may start: `never` if there is none; a time in the past is now.
    [[nodiscard]] TimePoint due() const noexcept;
    /// Takes the next request; due() is not `never`. `now` is its intended start in a closed loop.
    [[nodiscard]] Job take(TimePoint now);
    /// There is nothing more to do from now on.
    void stop() noexcept { stopped_ = true; }
    /// How many were due before `end` and not taken; each is taken by that.
    [[nodiscard]] std::uint64_t drop_rest();

  private:
    struct Template {
        std::string_view before, after;
        bool numbered;
    };

    [[nodiscard]] std::uint8_t draw_method() noexcept;

    const Plan& plan_;
    Rng& rng_;
    const TimePoint start_, end_;
    std::vector<Template> templates_;
    KeyDistribution keys_;
    std::optional<Arrivals> arrivals_;
    double weight_total_ = 0;
    std::uint64_t left_;        ///< of --requests
    std::size_t next_row_ = 0;  ///< of the replay
    std::size_t next_target_ = 0;
    bool stopped_ = false;
};

}  // namespace scrollgate::bench
