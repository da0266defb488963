// The report as one page that needs nothing else: charts, table and words, in light and dark.
//
// The page may not load anything, and runs and applies only its own script and style, named by
// their hashes in its Content-Security-Policy: text of others could not even if it got unescaped.
#pragma once

#include <string>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

/// A whole HTML document, UTF-8. Any thread.
[[nodiscard]] std::string html_page(const Report& report);

}  // namespace scrollgate::bench
