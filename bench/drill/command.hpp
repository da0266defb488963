// Another program, run to its end.
#pragma once

#include <string>
#include <vector>

namespace scrollgate::bench {

/// Runs `words` (the program is looked for in PATH) with `input`, at most 4 KiB, as its standard
/// input. Empty if it ended well; else why not, in one line: the first one that it complained
/// about, or what went wrong before. Its output goes nowhere. Blocks; any thread.
[[nodiscard]] std::string run_command(const std::vector<const char*>& words,
                                      const std::string& input);

}  // namespace scrollgate::bench
