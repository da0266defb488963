#include "proxy/pipeline/tally.hpp"

#include "balancer/report.hpp"
#include "proxy/pipeline/grpc_call.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// There is no way to the endpoint's machine: as good as a refusal.
bool unreachable(const Error& error) noexcept {
    return error.cause == boost::system::errc::host_unreachable ||
           error.cause == boost::system::errc::network_unreachable ||
           error.cause == boost::system::errc::network_down;
}

/// How health sees a failure; what is the client's doing or ours tells nothing but a lower bound.
AttemptEnd seen(const Error& error, bool spent = false) noexcept {
    switch (error.kind) {
        case ErrorKind::connect_refused:
            return AttemptEnd::refused;
        case ErrorKind::connect_failed:
            return unreachable(error) ? AttemptEnd::refused : AttemptEnd::broken;
        case ErrorKind::connect_timeout:
        case ErrorKind::upstream_reset:
        case ErrorKind::upstream_malformed:
        case ErrorKind::upstream_truncated:
            return AttemptEnd::broken;
        case ErrorKind::upstream_timeout:
        case ErrorKind::upstream_stalled:
            return AttemptEnd::silent;
        case ErrorKind::upstream_refused:
            return spent ? AttemptEnd::given_up : AttemptEnd::turned_back;
        default:
            return AttemptEnd::given_up;
    }
}

void count_failure(const Endpoint& endpoint, const Error& error) noexcept {
    if (error.side() == Side::upstream && facts(error.kind).against_endpoint) {
        endpoint.state->failures.fetch_add(1, std::memory_order_relaxed);
    }
}

void tell(Exchange& x, const Endpoint& endpoint, AttemptEnd end, Duration took, bool told = false) {
    if (report(*endpoint.state, end, took, x.worker.loop().now(), told)) x.worker.ring_health();
}

}  // namespace

void begin_attempt(Exchange& x, const Endpoint& endpoint, AttemptReason reason) noexcept {
    EndpointState& state = *endpoint.state;
    state.requests.fetch_add(1, std::memory_order_relaxed);
    if (reason == AttemptReason::again) state.retries.fetch_add(1, std::memory_order_relaxed);
    if (reason == AttemptReason::beside) {
        state.hedges.fetch_add(1, std::memory_order_relaxed);
        ++x.record.hedges;
    }
    x.record.endpoint = &endpoint;
    ++x.record.attempts;
}

void answered(Exchange& x, const Endpoint& endpoint, const ResponseHead& head, Duration took) {
    const bool failed = head.status >= 500 || is_turned_down(x, head);
    tell(x, endpoint, failed ? AttemptEnd::server_error : AttemptEnd::answered, took);
}

void overdue(Exchange& x, const Endpoint& endpoint, Duration took) {
    tell(x, endpoint, AttemptEnd::overdue, took);
}

void end_attempt(Exchange& x, const Endpoint& endpoint, const Error& why, Duration took,
                 AttemptSigns signs) {
    count_failure(endpoint, why);
    const bool tells = why.side() != Side::client && why.kind != ErrorKind::overloaded;
    if (tells) tell(x, endpoint, seen(why, signs.spent), took, signs.overdue);
    std::optional<ErrorKind> outcome;
    if (why.side() == Side::upstream || why.kind == ErrorKind::cancelled) outcome = why.kind;
    x.worker.observe_attempt(x, endpoint, outcome, took);
}

void end_answered(Exchange& x, const Endpoint& endpoint, const Result<void>& delivered,
                  Duration took) {
    std::optional<ErrorKind> outcome;
    if (!delivered && delivered.error().side() == Side::upstream) {
        outcome = delivered.error().kind;
        count_failure(endpoint, delivered.error());
        tell(x, endpoint, seen(delivered.error()), took);
    }
    x.worker.observe_attempt(x, endpoint, outcome, took);
}

}  // namespace scrollgate
