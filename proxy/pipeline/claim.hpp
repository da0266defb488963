// Claim: an endpoint with room for one more attempt, and a way to it: a connection, or a stream on
// one that others use, too.
#pragma once

#include "balancer/lease.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/pipeline/origin_end.hpp"
#include "proxy/upstream/shared_connection.hpp"

namespace scrollgate {

struct Claim {
    Lease lease;
    UpstreamLease connection;  ///< over HTTP/1, or to be connected
    SharedSeat seat;           ///< over HTTP/2, or to be waited for; one of the two at a time

    [[nodiscard]] bool there() const noexcept { return connection || seat; }
    /// Nothing is to be connected or waited for.
    [[nodiscard]] bool ready() const noexcept {
        return seat ? seat.seated() : connection && connection->reused();
    }
    /// Calls off what connects or waits.
    void fail(ErrorKind why) noexcept {
        if (connection) return connection->fail(why);
        seat.fail(why);
    }
    /// Gives the way back; the lease stays.
    void leave() noexcept {
        connection.reset();
        seat.reset();
    }
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return *lease.endpoint(); }
};

/// The next endpoint that was not tried and has room, at once, or why there is none. It counts as
/// tried from now on; full ones do not. After one attempt rather one of another zone, after two of
/// another pool.
[[nodiscard]] Result<Claim> claim_now(Exchange& x);

/// Likewise, for an attempt beside that at `first`: rather one of another pool than its and than
/// the last one that was tried, or else of another zone.
[[nodiscard]] Result<Claim> claim_beside(Exchange& x, const Endpoint& first);

/// claim_now(), waiting for room for a while if everything is full (limits::pending_wait, and no
/// more than limits.pending requests at a time).
[[nodiscard]] Task<Result<Claim>> claim(Exchange& x);

/// Another way to the endpoint of `claim`, whose own is of no use any more and given back: nothing
/// that has idled. False if there is no room for one.
[[nodiscard]] bool claim_again(Exchange& x, Claim& claim);

/// The origin's end for an attempt over `claim`, which is ready or connected.
[[nodiscard]] OriginEnd& end_of(Exchange& x, Claim& claim);

/// Lets go of a claim that nothing was done with.
void drop(Exchange& x, Claim& claim);

}  // namespace scrollgate
