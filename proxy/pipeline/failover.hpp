// From a prepared request to a relayed response: which endpoint, and what next when it fails.
#pragma once

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Tries endpoints until one answers, then relays its response to x.sink. An endpoint that cannot
/// be connected to is followed by the next one at once, never by the same. After request bytes have
/// left, only what is safe to repeat is repeated (RFC 9110 section 9.2.2), within the route's
/// budget; so is a request that was answered with a status of failover.retry_on. That answer is
/// kept meanwhile, and passed on if nothing better comes. At most failover.max_attempts attempts in
/// all, not counting endpoints that turned the connection away. The Error is the last attempt's.
[[nodiscard]] Task<Result<void>> forward(Exchange& x);

}  // namespace scrollgate
