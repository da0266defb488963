// The command line of scrollgate-bench.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/drill/breakage.hpp"
#include "bench/plan/plan.hpp"

namespace scrollgate::bench {

/// What the user wants besides the load itself.
struct Options {
    Plan plan;
    std::vector<std::string> fail_if;  ///< conditions as written
    std::string json, html;            ///< files; empty: none
    bool plain = false;                ///< no live view
    bool quiet = false;                ///< no lines while it runs
    std::vector<std::string> notes;    ///< for the user, before the run
    std::optional<Victim> drill;       ///< what breaks at plan.strike
};

/// Reads the arguments behind the program's name. Throws BadInput (url.hpp) with one line for what
/// cannot be used, and Finished for --help and --version.
[[nodiscard]] Options parse_options(std::vector<std::string> arguments);

/// Everything was said: print `text`, exit 0.
struct Finished {
    std::string text;
};

}  // namespace scrollgate::bench
