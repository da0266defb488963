// Claim: an endpoint with room for one more attempt, and a connection to it.
#pragma once

#include "balancer/lease.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/upstream/upstream_connection.hpp"

namespace scrollgate {

struct Claim {
    Lease lease;
    UpstreamLease connection;  ///< reused, or to be connected

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return *lease.endpoint(); }
};

/// The next endpoint that was not tried and has room, at once, or why there is none. It counts as
/// tried from now on; full ones do not. With `away_from`, an endpoint of another pool if there is
/// one.
[[nodiscard]] Result<Claim> claim_now(Exchange& x, const Endpoint* away_from = nullptr);

/// The same, waiting for room for a while if everything is full (limits::pending_wait, and no more
/// than limits.pending requests at a time).
[[nodiscard]] Task<Result<Claim>> claim(Exchange& x);

/// Lets go of a claim that nothing was done with.
void drop(Exchange& x, Claim& claim);

/// An attempt on `endpoint` has ended: its room is another request's.
void hand_on(Exchange& x, const Endpoint& endpoint);

}  // namespace scrollgate
