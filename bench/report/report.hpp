// Report: a finished (or interrupted) run, ready to be written: the one input of table, JSON and
// HTML.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/arrivals.hpp"
#include "bench/load/before_after.hpp"
#include "bench/load/tally.hpp"
#include "bench/load/timeline.hpp"

namespace scrollgate::bench {

/// What a drill saw of the requests with one method.
struct DrillMethod {
    std::string name;
    std::uint64_t requests = 0;  ///< that ended from the moment it broke on
    std::array<std::uint64_t, failures> by_failure{};
    std::uint64_t failed = 0;   ///< all of by_failure
    Duration usual{};           ///< p99 of the latency before it broke
    Duration longest_before{};  ///< latency
    Duration longest_after{};   ///< latency
    std::optional<Duration> until_clean;

    /// How much longer than usual the slowest answer took.
    [[nodiscard]] Duration longest_extra() const noexcept {
        return std::max(Duration::zero(), longest_after - usual);
    }
};

/// What a drill did and saw; see bench/drill. Before: without the first quarter of the time until
/// it broke.
struct DrillResult {
    std::string what;                ///< "kill 4711", "blackhole 10.0.0.2", …
    Duration at{};                   ///< from the start to the moment it broke
    std::optional<Duration> healed;  ///< from the start to the moment it was mended, if it was
    std::uint64_t in_flight = 0;     ///< requests on the victim at that moment
    std::uint64_t failed = 0;        ///< requests that failed from then on
    Duration longest_before{};       ///< latency
    Duration longest_after{};        ///< latency
    /// From `at` to the end of the last 5 ms (or more, in a long run) with a failure or a latency
    /// beyond what was usual before (see judge_drill()); none: never clean.
    std::optional<Duration> until_clean;
    Duration usual{};                    ///< p99 of the latency before it broke
    std::vector<DrillMethod> methods{};  ///< one by one, in the plan's order

    /// How much longer than usual the slowest answer took.
    [[nodiscard]] Duration longest_extra() const noexcept {
        return std::max(Duration::zero(), longest_after - usual);
    }
};

struct Report {
    /// `width`: of the timeline's slices.
    Report(std::vector<std::string> method_names, Duration width)
        : methods(std::move(method_names)), total(methods.size()), timeline(width) {}

    std::string tool;                    ///< "scrollgate-bench 0.1.0"
    std::string url;                     ///< as given
    std::string protocol;                ///< "http/1.1", "h2" or "h2c"
    std::string started;                 ///< RFC 3339, UTC
    std::vector<std::string> arguments;  ///< the command line
    std::vector<std::string> methods;    ///< "GET", …, as Sample::method numbers them
    std::vector<std::string> groups;     ///< values of the --by field; groups[0] = "(none)"
    std::string grouped_by;              ///< name of the --by field; empty: not asked for
    unsigned connections = 0, workers = 0;
    unsigned streams = 1;                ///< at a time per connection
    bool open_loop = false;              ///< requests had a time at which they were due
    std::optional<double> rate;          ///< requests per second asked for, on average
    std::vector<Arrivals::Step> ramp;    ///< its steps; empty: one rate for the whole run
    std::optional<double> replay_speed;  ///< 1: as recorded, 0: as fast as answers came
    Duration elapsed{};                  ///< from the first request to the last response
    bool interrupted = false;            ///< by Ctrl-C
    Tally total;
    Timeline timeline;
    std::optional<BeforeAfter> before_after;  ///< only in a drill
    std::optional<DrillResult> drill;

    /// Responses per second over `elapsed`.
    [[nodiscard]] double achieved_rate() const noexcept;
    /// The generator itself was late: more than one request in a hundred left over 1 ms after its
    /// time although a connection was free, or some did not leave at all. Results are then marked.
    [[nodiscard]] bool behind() const noexcept;
};

/// The quantiles that every table shows: name ("p50") and value (0.5), p50 to p99.99.
inline constexpr std::pair<const char*, double> shown_quantiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}};

}  // namespace scrollgate::bench
