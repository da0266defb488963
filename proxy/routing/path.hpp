// The normalised path: one spelling for one resource (RFC 3986 section 6.2.2), so that routing,
// cache key and origin cannot disagree about what was asked for.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scrollgate {

/// Removes dot segments, decodes unreserved characters, upper-cases the hex of other escapes.
/// bad_path for: NUL, "%00", backslash (also %5C), malformed escapes, encoded slashes (%2F) in a
/// path that has dot segments (also encoded ones), dot segments above the root are clamped.
/// Returns `path` itself when nothing changes (the usual case, no copy); else a view into `storage`.
[[nodiscard]] Result<std::string_view> normalise_path(std::string_view path, std::string& storage);

}  // namespace scrollgate
