// What /api/v1/status says, gathered from where it lives. Control thread.
#pragma once

#include "balancer/endpoint.hpp"
#include "core/clock.hpp"
#include "health/status.hpp"
#include "proxy/admin/status.hpp"
#include "proxy/caching/response_cache.hpp"
#include "proxy/observe/metrics.hpp"
#include "proxy/server/snapshot.hpp"

namespace scrollgate {

/// Which endpoints there are is told by `sets`; numbers come from the atomics as they are `now`,
/// words from `health`, which may lack a pool that is new.
[[nodiscard]] Status report_status(const Snapshot& snapshot, const PoolSets& sets,
                                   const HealthStatus& health, const Metrics& metrics,
                                   const ResponseCache& cache, TimePoint now);

}  // namespace scrollgate
