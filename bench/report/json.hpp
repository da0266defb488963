// The report as JSON, for programs. README.md of bench names every key.
#pragma once

#include <string>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

/// One JSON object (RFC 8259) and a line break. `latency_ms` and `uncorrected_ms` hold {mean, p50,
/// p90, p99, p999, p9999, max} in milliseconds; they are 0 where the count beside them is 0. All
/// numbers are finite, all text is valid UTF-8. Any thread.
[[nodiscard]] std::string json_text(const Report& report);

}  // namespace scrollgate::bench
