// The exchange of a probe over HTTP/2: a GET (or a webhook's POST), or grpc.health.v1's Check.
//
// One stream on a connection that ends with it: a connection that stays would hold a buffer, and
// one that is made anew also tells whether the endpoint takes new ones. Health's thread; no locks.
#pragma once

#include "core/task.hpp"
#include "health/probe_plan.hpp"

namespace scrollgate {

/// Asks over `connection`, which is connected and has its deadline, and is of no use afterwards.
/// `plan` is of http or grpc and stays valid until it has ended.
[[nodiscard]] Task<ProbeResult> ask_over_http2(const ProbePlan& plan, Connection& connection);

}  // namespace scrollgate
