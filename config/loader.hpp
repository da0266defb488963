// From YAML text to a Config, or to the complete list of what is wrong with it.
//
// yaml-cpp is seen only in this folder. Nothing here resolves names or opens sockets. Any thread;
// blocks on files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.hpp"

namespace scrollgate::config {

/// One finding, with its place in the file.
struct Problem {
    enum class Severity : std::uint8_t { error, warning };
    Severity severity = Severity::error;
    std::size_t line = 0, column = 0;  ///< from 1; 0 when the whole file is meant
    std::string path;                  ///< "pools.aws.endpoints[2]"; empty for the file
    std::string message;               ///< "what is wrong (did you mean …?)"
};

/// "FILE:LINE:COL: pools.aws.endpoints[2]: message"
[[nodiscard]] std::string to_text(const Problem& problem, std::string_view file);

struct Loaded {
    Config config;                  ///< meaningful only if ok()
    std::vector<Problem> problems;  ///< ordered by place; warnings do not make it fail
    [[nodiscard]] bool ok() const noexcept;
};

/// Parses and validates `text`. Never throws for bad input.
[[nodiscard]] Loaded load_text(std::string_view text);

/// The same for a file; a file that cannot be read is a Problem, too. Files that it names are
/// relative to its folder; certificates and keys among them are looked into, if all else is well.
[[nodiscard]] Loaded load_file(const std::string& file);

/// The configuration as YAML with every key present (defaults filled in) and secrets hidden.
[[nodiscard]] std::string effective_yaml(const Config& config);

/// docs/CONFIG.md's reference part, generated from the schema.
[[nodiscard]] std::string reference_markdown();

}  // namespace scrollgate::config
