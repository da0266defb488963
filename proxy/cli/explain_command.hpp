// explain: what a GET for a URL would get, and why. Blocking; command line only.
#pragma once

#include <string>
#include <vector>

#include "proxy/cli/admin_client.hpp"

namespace scrollgate {

/// `headers` are the request's: "Accept-Encoding: gzip". Asks the running process, or if there is
/// none, reads the file (-c, or the default) and says what that alone tells. Returns the exit code;
/// 1 if neither can be had or the URL is none.
[[nodiscard]] int run_explain(const TargetOptions& options, const std::string& url,
                              const std::vector<std::string>& headers, const Console& console);

}  // namespace scrollgate
