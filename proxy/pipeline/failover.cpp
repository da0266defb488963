#include "proxy/pipeline/failover.hpp"

#include "balancer/lease.hpp"
#include "proxy/pipeline/attempt.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// Endpoints that one exchange may find dead before it gives up.
constexpr std::size_t most_tried = 16;

/// The next endpoint that has room, or why there is none.
Result<Lease> pick(Exchange& x) {
    RouteBalancer& balancer = x.snapshot->balancers[x.record.route];
    bool full = false;
    while (x.tried.size() < most_tried) {
        const Endpoint* endpoint = balancer.pick(x.tried, x.worker.loop().rng());
        if (endpoint == nullptr) break;
        if (x.held.empty() || x.held.back() != balancer.targets()) {
            x.held.push_back(balancer.targets());
        }
        x.tried.push_back(endpoint);
        if (std::optional<Lease> lease = Lease::try_acquire(*endpoint)) return std::move(*lease);
        full = true;
    }
    if (full) return Error{ErrorKind::overloaded, false, {}, "every pool is at its limits"};
    if (balancer.targets()->empty()) return Error{ErrorKind::upstream_unresolved};
    return Error{ErrorKind::no_endpoint};
}

/// Counts a failed attempt, and tells whether another endpoint may be tried.
bool may_go_on(Exchange& x, const Endpoint& endpoint, const Error& error) {
    const bool against = facts(error.kind).against_endpoint;
    if (against) endpoint.state->failures.fetch_add(1, std::memory_order_relaxed);
    if (x.cancelled || !error.retry_safe) return false;
    if (x.worker.loop().now() >= x.until) return false;
    const bool sent = x.record.connect >= Duration::zero();
    return !sent || x.record.attempts < x.route->route->failover.max_attempts;
}

}  // namespace

Task<Result<void>> forward(Exchange& x) {
    std::optional<Error> last;
    TimePoint begun = x.record.started;
    for (;;) {
        Result<Lease> lease = pick(x);
        if (!lease) co_return last ? *last : lease.error();
        const Endpoint& endpoint = *lease->endpoint();
        if (last) endpoint.state->retries.fetch_add(1, std::memory_order_relaxed);
        x.record.endpoint = &endpoint;
        ++x.record.attempts;

        Attempt attempt(x, endpoint);
        const Result<void> answered = co_await attempt.begin();
        if (answered) {
            x.worker.observe_attempt(x, std::nullopt, x.record.started + x.record.first_byte - begun);
            co_return co_await attempt.deliver();
        }
        last = answered.error();
        co_await attempt.abandon();
        const TimePoint now = x.worker.loop().now();
        x.worker.observe_attempt(x, last->kind, now - begun);
        begun = now;
        if (!may_go_on(x, endpoint, *last)) co_return *last;
    }
}

}  // namespace scrollgate
