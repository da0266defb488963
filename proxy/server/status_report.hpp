// What /api/v1/status says, gathered from where it lives. Control thread.
#pragma once

#include "balancer/endpoint.hpp"
#include "proxy/admin/status.hpp"
#include "proxy/observe/metrics.hpp"
#include "proxy/server/snapshot.hpp"

namespace scrollgate {

[[nodiscard]] Status report_status(const Snapshot& snapshot, const PoolSets& sets,
                                   const Metrics& metrics, Status::State state, Duration uptime);

}  // namespace scrollgate
