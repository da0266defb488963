#include "proxy/pipeline/failover.hpp"

#include <algorithm>

#include "balancer/lease.hpp"
#include "core/limits.hpp"
#include "proxy/pipeline/attempt.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// An endpoint with room, and a connection to it.
struct Claim {
    Lease lease;
    UpstreamLease connection;
};

UpstreamLease connection_to(Exchange& x, const Endpoint& endpoint) {
    // What cannot be repeated takes no connection that the origin may be about to close.
    const bool repeatable = is_idempotent(x.request.method) && !x.request.body.has_body();
    UpstreamLease connection = x.worker.upstreams().reuse(endpoint, !repeatable);
    return connection ? std::move(connection) : x.worker.upstreams().open(endpoint);
}

/// The next endpoint that has room, or why there is none. Full ones count as not tried; the first of
/// them is left in `full`.
Result<Claim> pick(Exchange& x, const Endpoint*& full) {
    RouteBalancer& balancer = x.snapshot->balancers[x.record.route];
    const std::size_t tried_before = x.tried.size();
    full = nullptr;
    while (const Endpoint* endpoint = balancer.pick(x.tried, x.worker.loop().rng())) {
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

/// pick(), waiting for room for a while if everything is full.
Task<Result<Claim>> claim(Exchange& x) {
    PendingQueue::Place place;
    const TimePoint until = std::min(x.worker.loop().now() + limits::pending_wait, x.until);
    for (;;) {
        const Endpoint* full = nullptr;
        Result<Claim> claimed = pick(x, full);
        if (claimed || full == nullptr || x.worker.loop().now() >= until) co_return claimed;
        if (!place.take(*full)) co_return claimed;
        x.worker.ask_for_room(*full);
        Gate gate(x.worker.loop());
        x.waiting = &gate;
        co_await x.worker.pending().wait(gate, until);
        x.waiting = nullptr;
        if (x.cancelled) co_return Error{*x.cancelled};
    }
}

/// An attempt has ended: its room is another request's.
void hand_on(Exchange& x, const Endpoint& endpoint) {
    const config::PoolLimits& limits = endpoint.limits;
    const bool limited =
        limits.in_flight != limits::unlimited || limits.connections != limits::unlimited;
    if (limited) x.worker.pending().wake_one();
}

/// Counts a failed attempt, and tells whether another endpoint may be tried.
bool may_go_on(Exchange& x, const Endpoint& endpoint, const Error& error) {
    const bool against = facts(error.kind).against_endpoint;
    if (against) endpoint.state->failures.fetch_add(1, std::memory_order_relaxed);
    if (x.cancelled || !error.retry_safe) return false;
    if (x.worker.loop().now() >= x.until) return false;
    return x.record.attempts < x.route->route->failover.max_attempts;
}

/// One attempt to its end, counted. The response has been relayed, or the Error tells what to do.
Task<Result<void>> attempt_on(Exchange& x, Claim& claimed, TimePoint begun, bool& delivered) {
    const Endpoint& endpoint = *claimed.lease.endpoint();
    Attempt attempt(x, endpoint, std::move(claimed.connection));
    const Result<void> answered = co_await attempt.begin();
    if (answered) {
        delivered = true;
        x.worker.observe_attempt(x, std::nullopt, x.record.started + x.record.first_byte - begun);
        co_return co_await attempt.deliver();
    }
    co_await attempt.abandon();
    x.worker.observe_attempt(x, answered.error().kind, x.worker.loop().now() - begun);
    co_return answered;
}

}  // namespace

Task<Result<void>> forward(Exchange& x) {
    std::optional<Error> last;
    TimePoint begun = x.record.started;
    for (;;) {
        Result<Claim> claimed = co_await claim(x);
        if (!claimed) co_return last ? *last : claimed.error();
        const Endpoint& endpoint = *claimed->lease.endpoint();
        if (last) endpoint.state->retries.fetch_add(1, std::memory_order_relaxed);
        x.record.endpoint = &endpoint;
        ++x.record.attempts;

        bool delivered = false;
        const Result<void> ended = co_await attempt_on(x, *claimed, begun, delivered);
        claimed->lease.release();
        hand_on(x, endpoint);
        if (delivered) co_return ended;
        last = ended.error();
        if (!may_go_on(x, endpoint, *last)) co_return *last;
        begun = x.worker.loop().now();
    }
}

}  // namespace scrollgate
