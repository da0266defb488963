// Text of others inside of a page. Stateless, any thread.
#pragma once

#include <string>
#include <string_view>

namespace scrollgate::bench {

/// printable() text in which no character has a meaning in HTML or SVG any more, neither between
/// tags nor in a quoted attribute. A line break stays one.
[[nodiscard]] std::string escaped(std::string_view text);

/// "sha256-…" of `text`, as a Content-Security-Policy names what may run or apply.
[[nodiscard]] std::string policy_hash(std::string_view text);

}  // namespace scrollgate::bench
