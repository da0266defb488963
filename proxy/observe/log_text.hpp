// Escaped text for log lines. Plain text, the usual case, costs a copy and a look at 16 bytes at
// a time.
#pragma once

#include <string_view>

namespace scrollgate {

/// Writes `text` as the inside of a JSON string (RFC 8259 section 7), at most log_text_max bytes;
/// what does not fit is cut off between characters. Bytes that are not UTF-8 become \u00XX.
/// `out` needs room for min(6 * text.size(), log_text_max). Returns the end.
char* write_json_text(char* out, std::string_view text) noexcept;

/// Writes `text` as Apache does within quotes: \" \\ and \xhh for what is not printable ASCII.
/// Bounds as above.
char* write_quoted_text(char* out, std::string_view text) noexcept;

}  // namespace scrollgate
