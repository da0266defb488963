// The status of pools, endpoints and routes as Prometheus series: the same values as
// /api/v1/status, so that the two never disagree.
#pragma once

#include <cstddef>
#include <string>

#include "core/limits.hpp"
#include "proxy/admin/status.hpp"

namespace scrollgate {

/// Prometheus text format 0.0.4, to be joined to Metrics::text(). The first `most` endpoints, in
/// the order of the status, have series of their own; how many have none is said by
/// scrollgate_endpoints_left_out. Pools and routes are all there: a file bounds them.
[[nodiscard]] std::string status_metrics(const Status& status,
                                         std::size_t most = limits::metrics_endpoints);

}  // namespace scrollgate
