// The final text on a terminal: what was run, what came, how long it took, what went wrong.
#pragma once

#include <string>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

/// Lines of at most 100 columns as long as figures stay below 10^13, each ended by a line break;
/// UTF-8. Text of others cannot move the cursor. `colours`: with ANSI colours. Any thread.
[[nodiscard]] std::string table_text(const Report& report, bool colours = false);

}  // namespace scrollgate::bench
