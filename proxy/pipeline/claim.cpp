#include "proxy/pipeline/claim.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/limits.hpp"
#include "proxy/pipeline/preface.hpp"
#include "proxy/pipeline/repeat.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

bool tunnels(const Exchange& x) noexcept {
    return !x.upgrade_protocol.empty();
}

/// A seat, if the endpoint may speak HTTP/2 and nobody has to connect for it.
SharedSeat seat_at(Exchange& x, const Endpoint& endpoint) {
    if (endpoint.protocol == config::Pool::Protocol::http1) return {};
    return x.worker.upstreams().seat(endpoint, tunnels(x));
}

/// A new connection. Where there is a choice, a tunnel goes over HTTP/1.
UpstreamLease new_connection(Exchange& x, const Endpoint& endpoint, Limit* reached) {
    const bool alone = tunnels(x) && endpoint.protocol == config::Pool::Protocol::automatic;
    return x.worker.upstreams().open(endpoint, reached, preface_for(x, endpoint), alone);
}

UpstreamLease connection_to(Exchange& x, const Endpoint& endpoint, Limit& reached) {
    // What cannot be repeated takes no connection that the origin may be about to close.
    const bool repeatable = may_repeat(x) && !x.request.body.has_body();
    const bool careful = !repeatable || x.pipelined;
    UpstreamLease connection = x.worker.upstreams().reuse(endpoint, !repeatable, careful);
    return connection ? std::move(connection) : new_connection(x, endpoint, &reached);
}

/// What was in the way of a claim.
struct Full {
    std::vector<const Endpoint*> pools;     ///< the first of each pool that was full
    const Endpoint* unconnected = nullptr;  ///< the first that wants only a connection…
    Limit connections = Limit::none;        ///< …and whose limit on them is reached

    void note(const Endpoint& one, bool leased, Limit reached) {
        const auto same = [&](const Endpoint* other) {
            return other->pool_state == one.pool_state;
        };
        if (std::ranges::none_of(pools, same)) pools.push_back(&one);
        if (!leased || unconnected != nullptr) return;
        unconnected = &one;
        connections = reached;
    }
};

/// What the next attempt had better leave: the second the zone of the first; after two the whole
/// pool, which then stands in `x.avoid`, for the cloud is under suspicion.
const Endpoint* leave_last(Exchange& x) {
    x.avoid.clear();
    if (x.tried.empty()) return nullptr;
    if (x.tried.size() > 1) x.avoid.push_back(x.tried.back()->pool_state.get());
    return x.tried.back();
}

PickRequest::Stage stage_of(const Exchange& x) noexcept {
    return x.tried.empty() ? PickRequest::Stage::first : PickRequest::Stage::after_failure;
}

/// Others wait for room in its pool, and this request has just come: theirs is what is free.
bool overtakes(const Endpoint& endpoint, PickRequest::Stage stage, bool again) noexcept {
    return !again && stage == PickRequest::Stage::first && endpoint.limits.may_fill() &&
           endpoint.pool_state->pending.load(std::memory_order_relaxed) > 0;
}

/// claim_now() with pools to avoid, `x.avoid`, to which those are added whose requests in flight
/// are at their limit: none of their endpoints has room. (While connections are, one that idles may
/// still be used.) `again`: the request has waited, and a split route has counted it.
Result<Claim> pick(Exchange& x, Full& full, const Endpoint* away_from, PickRequest::Stage stage,
                   bool again = false) {
    RouteBalancer& balancer = x.snapshot->balancers[x.record.route];
    const std::size_t tried_before = x.tried.size(), avoided_before = x.avoid.size();
    PickRequest request;
    request.hash = x.affinity.hash;
    request.counted = again;
    request.away_from = away_from;
    request.stage = stage;
    request.now = x.worker.loop().now();
    if (x.affinity.tag != 0) request.stick = balancer.targets()->tagged(x.affinity.tag);
    std::optional<Claim> claimed;
    for (;;) {
        request.tried = x.tried;
        request.avoid = x.avoid;
        const Endpoint* const endpoint = balancer.pick(request, x.worker.loop().rng());
        if (endpoint == nullptr) break;
        if (x.held.empty() || x.held.back() != balancer.targets()) {
            x.held.push_back(balancer.targets());
        }
        Limit reached = Limit::pool;
        std::optional<Lease> lease;
        if (!overtakes(*endpoint, stage, again)) lease = Lease::try_acquire(*endpoint, &reached);
        if (lease) {
            SharedSeat seat = seat_at(x, *endpoint);
            UpstreamLease connection;
            if (!seat) connection = connection_to(x, *endpoint, reached);
            if (seat || connection)
                claimed = Claim{std::move(*lease), std::move(connection), std::move(seat)};
        }
        if (claimed) break;
        full.note(*endpoint, lease.has_value(), reached);
        if (!lease && reached == Limit::pool) {
            const PoolState* const pool = endpoint->pool_state.get();
            const auto begin = x.avoid.begin() + static_cast<std::ptrdiff_t>(avoided_before);
            if (std::find(begin, x.avoid.end(), pool) != x.avoid.end()) break;
            x.avoid.push_back(pool);
        }
        x.tried.push_back(endpoint);
    }
    x.tried.resize(tried_before);
    x.avoid.resize(avoided_before);
    if (claimed) {
        x.tried.push_back(&claimed->endpoint());
        return std::move(*claimed);
    }
    if (!full.pools.empty()) {
        return Error{ErrorKind::overloaded, false, {}, "pools at their limits"};
    }
    if (balancer.targets()->empty()) return Error{ErrorKind::upstream_unresolved};
    return Error{ErrorKind::no_endpoint};
}

}  // namespace

Result<Claim> claim_now(Exchange& x) {
    Full full;
    return pick(x, full, leave_last(x), stage_of(x));
}

Result<Claim> claim_beside(Exchange& x, const Endpoint& first) {
    Full full;
    x.avoid.assign(1, first.pool_state.get());
    if (x.tried.back() != &first) x.avoid.push_back(x.tried.back()->pool_state.get());
    return pick(x, full, &first, PickRequest::Stage::beside);
}

Task<Result<Claim>> claim(Exchange& x) {
    PendingQueue::Place place;
    bool waited = false;
    const TimePoint until = std::min(x.worker.loop().now() + limits::pending_wait, x.until);
    for (;;) {
        Full full;
        Result<Claim> claimed = pick(x, full, leave_last(x), stage_of(x), waited);
        if (claimed || full.pools.empty() || x.worker.loop().now() >= until) {
            co_return claimed;
        }
        // After a failure some that have room were tried: it is not for room that newcomers want.
        const bool counts = stage_of(x) == PickRequest::Stage::first;
        if (!place.take(full.pools, counts)) co_return claimed;
        PendingQueue& queue = x.worker.pending();
        if (const Endpoint* const one = full.unconnected;
            one != nullptr && (!waited || queue.is_first(place, *one->pool_state))) {
            x.worker.ask_for_room(*one, full.connections);
        }
        waited = true;
        TimedGate gate(x.worker.loop());
        x.waiting = &gate;
        co_await queue.wait(place, gate, until);
        x.waiting = nullptr;
        if (x.cancelled) co_return Error{*x.cancelled};
    }
}

bool claim_again(Exchange& x, Claim& claim) {
    claim.seat = seat_at(x, claim.endpoint());
    if (!claim.seat) claim.connection = new_connection(x, claim.endpoint(), nullptr);
    return claim.there();
}

OriginEnd& end_of(Exchange& x, Claim& claim) {
    if (claim.seat) {
        Http2OriginEnd& end = x.worker.http2_ends().take(x.worker);
        end.begin(x, std::move(claim.seat));
        return end;
    }
    Http1OriginEnd& end = x.worker.http1_ends().take(x.worker);
    end.begin(x, std::move(claim.connection));
    return end;
}

void drop(Exchange& x, Claim& claim) {
    const Endpoint& endpoint = claim.endpoint();
    claim.leave();
    claim.lease.release();
    x.worker.hand_on(endpoint);
}

}  // namespace scrollgate
