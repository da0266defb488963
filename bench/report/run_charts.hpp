// The charts of a run: each a <section> of the page, with heading, legend and plot. Any thread.
#pragma once

#include <string>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

/// p50, p99 and max of each slice.
[[nodiscard]] std::string latency_section(const Report& report);
/// Latency by percentile: corrected, in open loop uncorrected beside it, and by cache result if
/// there are several.
[[nodiscard]] std::string percentile_section(const Report& report);
/// Responses per second, stacked by class of status, requests without a response on top.
[[nodiscard]] std::string status_section(const Report& report);
/// Share of each group among the responses of a slice; empty if the run was not grouped.
[[nodiscard]] std::string group_section(const Report& report);

}  // namespace scrollgate::bench
