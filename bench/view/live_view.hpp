// LiveView: what a run looks like while it goes on, in a few lines.
//
// Pure text: who draws it on a terminal is screen.hpp. Text of others is printable() here. Any
// thread.
#pragma once

#include <string>
#include <vector>

#include "bench/load/load.hpp"
#include "bench/plan/plan.hpp"

namespace scrollgate::bench {

/// The lines of one picture, none wider than `columns` (at least 40): progress, rate, latency of
/// the last second, status classes, failures, cache results, shares of groups, and how rate and
/// p99 went so far. `note` stands at the end if it is not empty (what a drill has broken).
[[nodiscard]] std::vector<std::string> live_lines(const Plan& plan, const Progress& progress,
                                                  const std::string& note, std::size_t columns);

/// The same moment in one line, for files and pipes.
[[nodiscard]] std::string plain_line(const Plan& plan, const Progress& progress,
                                     const std::string& note);

/// How much of the plan is done, 0 to 1; nothing if nobody knows (a replay).
[[nodiscard]] std::optional<double> done_share(const Plan& plan, const Progress& progress);

}  // namespace scrollgate::bench
