// Files that a plan is made from: lists of URLs, bodies, access logs.
#pragma once

#include <string>
#include <vector>

#include "bench/plan/plan.hpp"

namespace scrollgate::bench {

/// The bytes of a file, at most 256 MiB. Throws BadInput (url.hpp).
[[nodiscard]] std::string read_file(const std::string& name);

/// One target per line: a path, or a URL of `origin`. Empty lines and lines with `#` are skipped.
/// Throws BadInput with the line.
[[nodiscard]] std::vector<std::string> read_targets(const std::string& name, const Origin& origin);

struct ReplayLog {
    std::vector<Recorded> rows;        ///< by time; rows of the same time stay in their order
    std::vector<std::string> methods;  ///< as rows number them
    std::size_t skipped = 0;           ///< lines that are no request that could be repeated
};

/// Reads an access log: JSON lines with time, method and path, or the combined format. Throws
/// BadInput if no line can be used.
[[nodiscard]] ReplayLog read_replay(const std::string& name);

}  // namespace scrollgate::bench
