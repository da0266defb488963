// ${VAR} and ${VAR:-default} inside scalars, after YAML has been parsed: a variable can never
// change the structure of the file.
#pragma once

#include <string>
#include <string_view>

#include "config/scalars.hpp"

namespace scrollgate::config {

/// `text` with its variables replaced. `$${` stands for a literal `${`; any other `$` for itself.
/// A default also stands in for a variable that is set but empty. Wrong: an unset variable, an
/// unclosed or nested brace, a name that is none, a value that is not UTF-8. Reads the
/// process environment; call it where nobody calls setenv.
[[nodiscard]] Parsed<std::string> expand_variables(std::string_view text);

/// The text that expands to `text`.
[[nodiscard]] std::string escape_variables(std::string_view text);

}  // namespace scrollgate::config
