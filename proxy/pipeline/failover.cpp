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
    const bool careful = !repeatable || x.pipelined;
    UpstreamLease connection = x.worker.upstreams().reuse(endpoint, !repeatable, careful);
    return connection ? std::move(connection) : x.worker.upstreams().open(endpoint);
}

/// The next endpoint that has room, or why there is none. Full ones count as not tried; the first
/// of them is left in `full`.
Result<Claim> pick(Exchange& x, const Endpoint*& full) {
    RouteBalancer& balancer = x.snapshot->balancers[x.record.route];
    const std::size_t tried_before = x.tried.size();
    full = nullptr;
    PickRequest request{.now = x.worker.loop().now()};
    while (true) {
        request.tried = x.tried;
        const Endpoint* endpoint = balancer.pick(request, x.worker.loop().rng());
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

/// pick(), waiting for room for a while if everything is full.
Task<Result<Claim>> claim(Exchange& x) {
    PendingQueue::Place place;
    bool asked = false;
    const TimePoint until = std::min(x.worker.loop().now() + limits::pending_wait, x.until);
    for (;;) {
        const Endpoint* full = nullptr;
        Result<Claim> claimed = pick(x, full);
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

/// An attempt has ended: its room is another request's.
void hand_on(Exchange& x, const Endpoint& endpoint) {
    const config::PoolLimits& limits = endpoint.limits;
    const bool limited =
        limits.in_flight != limits::unlimited || limits.connections != limits::unlimited;
    if (limited) x.worker.pending().wake_one();
}

/// The endpoint was not there: known at once, and nothing was asked of it.
bool turned_away(ErrorKind kind) noexcept {
    return kind == ErrorKind::connect_refused || kind == ErrorKind::connect_failed ||
           kind == ErrorKind::overloaded;
}

/// Another endpoint may be tried after `error`. Endpoints that turn connections away do not count
/// against max_attempts: they are known at once, and each is met once.
bool may_go_on(const Exchange& x, const Error& error) {
    if (x.cancelled || !error.retry_safe || x.worker.loop().now() >= x.until) return false;
    return turned_away(error.kind) || x.sent < x.route->route->failover.max_attempts;
}

/// Counts how an attempt ended; what is the client's doing counts as an answer.
void count(Exchange& x, const Endpoint& endpoint, const Result<void>& ended, Duration took) {
    std::optional<ErrorKind> error;
    if (!ended && ended.error().side() == Side::upstream) error = ended.error().kind;
    if (error && facts(*error).against_endpoint) {
        endpoint.state->failures.fetch_add(1, std::memory_order_relaxed);
    }
    x.worker.observe_attempt(x, error, took);
}

/// One attempt to its end, counted. The response has been relayed, or the Error tells what to do.
Task<Result<void>> attempt_on(Exchange& x, Claim& claimed, TimePoint begun, bool& delivered) {
    const Endpoint& endpoint = *claimed.lease.endpoint();
    Attempt attempt(x, endpoint, std::move(claimed.connection));
    Result<void> ended = co_await attempt.begin();
    if (ended) {
        delivered = true;
        const Duration took = x.record.started + x.record.first_byte - begun;
        ended = co_await attempt.deliver();
        count(x, endpoint, ended, took);
    } else {
        co_await attempt.abandon();
        count(x, endpoint, ended, x.worker.loop().now() - begun);
    }
    co_return ended;
}

}  // namespace

Task<Result<void>> forward(Exchange& x) {
    std::optional<Error> last;
    TimePoint begun = x.record.started;
    for (;;) {
        Result<Claim> claimed = co_await claim(x);
        if (x.cancelled) co_return Error{*x.cancelled};
        if (!claimed) co_return last ? *last : claimed.error();
        const Endpoint& endpoint = *claimed->lease.endpoint();
        endpoint.state->requests.fetch_add(1, std::memory_order_relaxed);
        if (last) endpoint.state->retries.fetch_add(1, std::memory_order_relaxed);
        x.record.endpoint = &endpoint;
        ++x.record.attempts;

        bool delivered = false;
        const Result<void> ended = co_await attempt_on(x, *claimed, begun, delivered);
        claimed->lease.release();
        hand_on(x, endpoint);
        if (delivered) co_return ended;
        last = ended.error();
        if (!turned_away(last->kind)) ++x.sent;
        if (!may_go_on(x, *last)) co_return *last;
        begun = x.worker.loop().now();
    }
}

}  // namespace scrollgate
