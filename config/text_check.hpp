// What has to hold for bytes before YAML is tried, and the words for YAML's own complaints.
// Stateless, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/document.hpp"

namespace scrollgate::config {

/// Valid UTF-8 (RFC 3629: no surrogates, no overlong forms)?
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// The first control byte other than tab and line ends, or byte that is not UTF-8; nothing if the
/// text is fine to parse.
[[nodiscard]] std::optional<Problem> check_bytes(std::string_view text);

/// The place of a byte, in characters. `line` and `byte_column` count from 0.
[[nodiscard]] Mark place_of(std::string_view line_text, std::size_t line, std::size_t byte_column);

/// The text of a line (from 0) without its end.
[[nodiscard]] std::string_view line_of(std::string_view text, std::size_t line) noexcept;

/// The parser's complaint in words that help; `line` and `byte_column` count from 0.
[[nodiscard]] Problem explain_syntax(std::string_view text, const std::string& complaint,
                                     std::size_t line, std::size_t byte_column);

}  // namespace scrollgate::config
