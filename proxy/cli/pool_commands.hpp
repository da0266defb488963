// The commands that change pools and endpoints of a running scrollgate: scale, fail, drain.
//
// Blocking; for the command line only. Return values are exit codes: 0 done, 1 refused or failed;
// the console is told what has become of it, or why not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/cli/admin_client.hpp"

namespace scrollgate {

/// Exactly one of factor and active; active needs a pool. An empty pool stands for all.
struct ScaleRequest {
    std::string pool;
    std::optional<double> factor;
    std::optional<std::uint64_t> active;
};

/// Done as far as there are standbys; what is wanted beyond is a line on standard error.
[[nodiscard]] int run_scale(const AdminTarget& target, const ScaleRequest& request,
                            const Console& console);

/// Treats a pool as lost for so long ("30s"; empty: until run_unfail()).
[[nodiscard]] int run_fail(const AdminTarget& target, const std::string& pool,
                           const std::string& span, const Console& console);
[[nodiscard]] int run_unfail(const AdminTarget& target, const std::string& pool,
                             const Console& console);

/// No new requests for an endpoint; `address` as status shows it.
[[nodiscard]] int run_drain(const AdminTarget& target, const std::string& pool,
                            const std::string& address, const Console& console);
[[nodiscard]] int run_undrain(const AdminTarget& target, const std::string& pool,
                              const std::string& address, const Console& console);

}  // namespace scrollgate
