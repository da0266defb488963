// Text of others (URLs, header values) made fit for a terminal or a file, and its width in columns.
// Stateless, any thread.
#pragma once

#include <string>
#include <string_view>

namespace scrollgate::bench {

/// `text` as valid UTF-8: each byte that belongs to no character becomes U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);
/// valid_utf8() without anything that a terminal might obey: control characters become U+FFFD,
/// those that turn the reading direction likewise.
[[nodiscard]] std::string printable(std::string_view text);
/// Columns that valid UTF-8 takes if each character takes one.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;
/// At most `columns` wide: what is too long loses its middle for "…".
[[nodiscard]] std::string shorten(std::string_view text, std::size_t columns);
/// At most `columns` wide: what is too long loses its end.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t columns) noexcept;

}  // namespace scrollgate::bench
