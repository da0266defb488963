// Files of URLs, one per line; `#` begins a comment. Blocking, small; control thread and commands.
#pragma once

#include <string>
#include <vector>

namespace scrollgate {

struct UrlFile {
    std::string error;  ///< why it cannot be read; empty: the rest is valid
    std::vector<std::string> urls;
};

/// The URLs of `file`, without blanks around them; at most limits::warm_urls.
[[nodiscard]] UrlFile read_url_file(const std::string& file);

/// Writes `urls` in place of what `file` holds: all of it or nothing, also if the power fails.
/// Returns an empty text, or what went wrong.
[[nodiscard]] std::string write_url_file(const std::string& file,
                                         const std::vector<std::string>& urls);

}  // namespace scrollgate
