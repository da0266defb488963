// Report: a finished (or interrupted) run, ready to be written: the one input of table, JSON and
// HTML.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/tally.hpp"
#include "bench/load/timeline.hpp"

namespace scrollgate::bench {

/// What a drill did and saw; see bench/drill.
struct DrillResult {
    std::string what;                ///< "kill 4711", "blackhole 10.0.0.2", …
    Duration at{};                   ///< from the start to the moment it broke
    std::optional<Duration> healed;  ///< from the start to the moment it was mended, if it was
    std::uint64_t in_flight = 0;     ///< requests on the victim at that moment
    std::uint64_t failed = 0;        ///< requests that failed from then on
    Duration longest_before{};       ///< latency
    Duration longest_after{};        ///< latency
    std::optional<Duration>
        until_clean;  ///< from `at` to the last slice with a failure or a latency
                      ///< beyond what was usual before; none: never clean
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
    unsigned streams = 1;        ///< at a time per connection
    std::optional<double> rate;  ///< requests per second asked for; none: closed loop
    Duration elapsed{};          ///< from the first request to the last response
    bool interrupted = false;    ///< by Ctrl-C
    Tally total;
    Timeline timeline;
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
