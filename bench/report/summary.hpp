// Summary: a Report in words, the one source of what table and page say about it. Text of others in
// it is printable() already; nothing is escaped for a page. Stateless, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

struct Fact {
    std::string name, value;
};

/// A row of the latency table.
struct LatencyRow {
    enum class About : std::uint8_t { all, method, status, cache };
    About about = About::all;
    std::string name;                      ///< "all (corrected)", "GET", "status 200", "cache hit"
    const Histogram* histogram = nullptr;  ///< of the report
};

/// How often one kind of failure was seen.
struct FailureRow {
    std::string name;
    std::uint64_t count = 0;
};

/// What one group answered, and its share of all responses (0-1; none if there were none), in a
/// drill also before, during and after what it broke.
struct ShareRow {
    std::string name;
    std::uint64_t count = 0;
    std::optional<double> share, before, during, after;
};

/// A ramp's step: the rate that was wanted, and what came of it.
struct StepRow {
    std::string name;                ///< "500/s"
    std::vector<std::string> cells;  ///< under step_columns()
};

/// What a drill saw of one method.
struct DrillRow {
    std::string name;
    std::vector<std::string> cells;  ///< under drill_columns()
};

struct Summary {
    std::string tool, url;
    std::vector<Fact> run;                ///< what was run, and how much came
    std::vector<LatencyRow> latency;      ///< in the order of About
    std::string about_latency;            ///< one line on how to read them
    std::vector<StepRow> steps;           ///< of a ramp
    std::vector<FailureRow> failures;     ///< most frequent first; none: nothing failed
    std::string failed;                   ///< how many, of how many
    std::vector<Fact> drill;              ///< what it did and saw; empty: no drill
    std::vector<DrillRow> drill_methods;  ///< empty unless there are several methods
    std::string grouped_by;               ///< name of the --by field; empty: not asked for
    std::vector<ShareRow> shares;         ///< of its values
    std::vector<std::string> marks;  ///< why figures are not to be taken as they are, one per line
};

/// `report` outlives the summary.
[[nodiscard]] Summary summarise(const Report& report);

/// The header of the latency table after the row's name: "count", "p50", …, "max", "mean".
[[nodiscard]] std::vector<std::string> latency_columns();
/// The cells under latency_columns().
[[nodiscard]] std::vector<std::string> latency_cells(const Histogram& histogram);
/// The header of the steps: "rate", "p50", …, after the wanted rate.
[[nodiscard]] std::vector<std::string> step_columns();
/// The header over a DrillRow's cells: requests that ended from then on, those that failed, the
/// usual latency (p99 before), the longest, how much longer than usual, when it was clean again.
[[nodiscard]] std::vector<std::string> drill_columns();
/// "p50" -> "p50", "p999" -> "p99.9", "p9999" -> "p99.99".
[[nodiscard]] std::string quantile_label(std::string_view name);
/// "12.3%", or "-" for none.
[[nodiscard]] std::string share_cell(std::optional<double> share);

/// Time that slice `index` of the report's timeline covers: its width; of the last one, what had
/// passed when the run ended.
[[nodiscard]] Duration covered_by(const Report& report, std::size_t index);
/// When what the drill broke was over: mended, else clean, else never (the run's end).
[[nodiscard]] Duration drill_end(const Report& report, const DrillResult& drill);
/// Name of a group, printable: its value, or a number if it has none.
[[nodiscard]] std::string group_name(const Report& report, std::size_t group);

}  // namespace scrollgate::bench
