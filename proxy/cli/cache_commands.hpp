// The commands that read and change the cache of a running scrollgate: cache get, set, rm, purge,
// warm.
//
// Blocking; for the command line only. Return values are exit codes: 0 done, 1 refused or failed;
// the console is told what has become of it, or why not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/cli/admin_client.hpp"

namespace scrollgate {

/// Writes the object's bytes as they are. `url`: a URL, or a bare key.
[[nodiscard]] int run_cache_get(const AdminTarget& target, const std::string& url,
                                const Console& console);

struct SetRequest {
    std::string url;
    std::string ttl;                   ///< "1h"
    std::string file;                  ///< what to store; "-": standard input
    std::optional<std::string> value;  ///< instead of a file
    std::string type;                  ///< Content-Type; empty: by the file's name, else text
};
[[nodiscard]] int run_cache_set(const AdminTarget& target, const SetRequest& request,
                                const Console& console);

/// Fails if nothing was stored.
[[nodiscard]] int run_cache_rm(const AdminTarget& target, const std::string& url,
                               const Console& console);

/// Exactly one of url, prefix, tag and all.
struct PurgeRequest {
    std::string url, prefix, tag;
    bool all = false, soft = false;
};
[[nodiscard]] int run_cache_purge(const AdminTarget& target, const PurgeRequest& request,
                                  const Console& console);

struct WarmRequest {
    std::vector<std::string> urls;
    std::string file;            ///< one URL per line; "-": standard input
    std::optional<double> rate;  ///< fetches per second
    bool wait = true;            ///< until the job is done; else its number is told
};
/// A bar on a terminal, else a line for each tenth. Fails if a URL could not be fetched.
[[nodiscard]] int run_cache_warm(const AdminTarget& target, const WarmRequest& request,
                                 const Console& console);

}  // namespace scrollgate
