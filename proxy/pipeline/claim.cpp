#include "proxy/pipeline/claim.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "proxy/pipeline/repeat.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

UpstreamLease connection_to(Exchange& x, const Endpoint& endpoint) {
    // What cannot be repeated takes no connection that the origin may be about to close.
    const bool repeatable = may_repeat(x) && !x.request.body.has_body();
    const bool careful = !repeatable || x.pipelined;
    UpstreamLease connection = x.worker.upstreams().reuse(endpoint, !repeatable, careful);
    return connection ? std::move(connection) : x.worker.upstreams().open(endpoint);
}

/// claim_now(); the first endpoint that was full is left in `full`.
Result<Claim> pick(Exchange& x, const PoolState* avoid, const Endpoint*& full) {
    RouteBalancer& balancer = x.snapshot->balancers[x.record.route];
    const std::size_t tried_before = x.tried.size();
    PickRequest request;
    request.hash = x.affinity.hash;
    request.now = x.worker.loop().now();
    request.avoid = avoid;
    if (x.affinity.tag != 0) request.stick = balancer.targets()->tagged(x.affinity.tag);
    full = nullptr;
    for (;;) {
        request.tried = x.tried;
        const Endpoint* const endpoint = balancer.pick(request, x.worker.loop().rng());
        if (endpoint == nullptr) break;
        if (x.held.empty() || x.held.back() != balancer.targets()) {
            x.held.push_back(balancer.targets());
        }
        if (std::optional<Lease> lease = Lease::try_acquire(*endpoint)) {
            if (UpstreamLease connection = connection_to(x, *endpoint)) {
                x.tried.resize(tried_before);
                x.tried.push_back(endpoint);
                return Claim{std::move(*lease), std::move(connection)};
            }
        }
        if (full == nullptr) full = endpoint;
        x.tried.push_back(endpoint);
    }
    x.tried.resize(tried_before);
    if (full != nullptr) return Error{ErrorKind::overloaded, false, {}, "pools at their limits"};
    if (balancer.targets()->empty()) return Error{ErrorKind::upstream_unresolved};
    return Error{ErrorKind::no_endpoint};
}

}  // namespace

Result<Claim> claim_now(Exchange& x, const Endpoint* away_from) {
    const Endpoint* full = nullptr;
    return pick(x, away_from != nullptr ? away_from->pool_state.get() : nullptr, full);
}

Task<Result<Claim>> claim(Exchange& x) {
    PendingQueue::Place place;
    bool asked = false;
    const TimePoint until = std::min(x.worker.loop().now() + limits::pending_wait, x.until);
    for (;;) {
        const Endpoint* full = nullptr;
        Result<Claim> claimed = pick(x, nullptr, full);
        if (claimed || full == nullptr || x.worker.loop().now() >= until) co_return claimed;
        if (!place.take(*full)) co_return claimed;
        if (!asked) x.worker.ask_for_room(*full);
        asked = true;
        TimedGate gate(x.worker.loop());
        x.waiting = &gate;
        co_await x.worker.pending().wait(gate, until);
        x.waiting = nullptr;
        if (x.cancelled) co_return Error{*x.cancelled};
    }
}

void hand_on(Exchange& x, const Endpoint& endpoint) {
    const config::PoolLimits& limits = endpoint.limits;
    const bool limited =
        limits.in_flight != limits::unlimited || limits.connections != limits::unlimited;
    if (limited) x.worker.pending().wake_one();
}

}  // namespace scrollgate
