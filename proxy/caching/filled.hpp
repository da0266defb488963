// Answers from a response that a fill is bringing.
#pragma once

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/caching/fill_task.hpp"
#include "proxy/caching/reading.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Sends what `reading` reads, whose head has come and is for `x`: whole, one range of it, or 304.
/// `share` holds what only the leader's client gets; null for all others.
[[nodiscard]] Task<Result<void>> answer_filled(Exchange& x, Reading& reading,
                                               const LeadersShare* share);

}  // namespace scrollgate
