// A game day through the admin API: the proxy itself treats a pool as lost.
#pragma once

#include "bench/drill/breakage.hpp"

namespace scrollgate::bench {

/// POST {admin}/api/v1/pools/{pool}/fail, and DELETE to mend it. `length` is told to the proxy, so
/// that the pool comes back even if this tool is gone. Throws BadInput (url.hpp).
[[nodiscard]] std::unique_ptr<Breakage> make_pool_failure(const std::string& admin,
                                                          const std::string& pool,
                                                          const std::string& token_file,
                                                          Duration length);

}  // namespace scrollgate::bench
