// Paths with parameters: "/api/v1/pools/{pool}/scale".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scrollgate {

/// The values of the pattern's parameters, in its order and percent-decoded, if `path` is of it;
/// a segment "{…}" stands for any that is not empty and whose escapes are well-formed. A '/' in a
/// value is written %2F. Stateless.
[[nodiscard]] std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                                 std::string_view path);

/// `text` as a segment of a path: all but the unreserved characters of RFC 3986 and ':' escaped.
[[nodiscard]] std::string path_segment(std::string_view text);

}  // namespace scrollgate
