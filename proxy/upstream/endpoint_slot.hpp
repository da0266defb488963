// EndpointSlot: a worker's connections to one endpoint. One worker; no locks.
#pragma once

#include <memory>
#include <vector>

#include "balancer/endpoint.hpp"
#include "core/net/tls_context.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {

class SharedConnection;
class UpstreamConnection;

struct EndpointSlot {
    explicit EndpointSlot(const Endpoint& of) : state(of.state), pool(of.pool_state) {}

    const std::shared_ptr<EndpointState> state;  ///< the identity
    const std::shared_ptr<PoolState> pool;
    std::shared_ptr<const TlsTarget> target;  ///< that `session` is of
    std::shared_ptr<TlsSession> session;      ///< of the latest connection over TLS
    std::vector<UpstreamConnection*> idle;    ///< the most recently used at the back
    std::vector<SharedConnection*> shared;    ///< over HTTP/2, until they end
    std::vector<TimedGate*> waiting;          ///< for a stream on one of them, the first in front
    std::uint32_t connections = 0;            ///< idle, busy and dying; shared ones, too
    std::uint32_t opening = 0;                ///< of these: may soon be shared
    std::uint32_t joining = 0;                ///< requests that count on those
    bool speaks_http1 = false;                ///< what `auto` has found
    bool retired = false;                     ///< in no EndpointSet any more

    /// A place is free, or nothing is being opened any more: who waits looks again.
    void wake_all() {
        for (TimedGate* const gate : waiting)
            gate->open();
    }
    void wake_one() {
        for (TimedGate* const gate : waiting) {
            if (gate->settled()) continue;
            gate->open();
            return;
        }
    }
};

}  // namespace scrollgate
