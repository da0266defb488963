#include "proxy/pipeline/failover.hpp"

#include <vector>

#include "core/limits.hpp"
#include "proxy/pipeline/hedge.hpp"
#include "proxy/pipeline/repeat.hpp"
#include "proxy/pipeline/silence_watch.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// The endpoint was not there, or did not take the request: known at once, and nothing was done.
bool turned_away(ErrorKind kind) noexcept {
    return kind == ErrorKind::connect_refused || kind == ErrorKind::connect_failed ||
           kind == ErrorKind::overloaded || kind == ErrorKind::upstream_refused ||
           kind == ErrorKind::upgrade_unknown;
}

/// No byte of the request was sent: another attempt takes nothing from the budget.
bool is_free(ErrorKind kind) noexcept {
    return turned_away(kind) || kind == ErrorKind::connect_timeout;
}

/// Another attempt is allowed after one that is over; takes it from the route's budget.
bool may_ask_again(Exchange& x) {
    const TimePoint now = x.worker.loop().now();
    return !x.cancelled && now < x.until && x.sent < x.route->route->failover.max_attempts &&
           x.budget().take(now);
}

/// Another endpoint may be tried after `error`. Those that turn connections away are met once each.
bool may_go_on(Exchange& x, const Error& error) {
    if (x.cancelled || !error.retry_safe || x.worker.loop().now() >= x.until) return false;
    if (turned_away(error.kind)) return ++x.turned_away < limits::turned_away_most;
    if (is_free(error.kind)) return x.sent < x.route->route->failover.max_attempts;
    return may_ask_again(x);
}

/// The answer of `turn` is one that the route would rather have from somebody else. Not while its
/// upload is under way: two attempts would pull one body.
bool may_do_better(Exchange& x, const Turn& turn) {
    return turn.sent() && may_ask_elsewhere(x, turn.response()) && may_ask_again(x);
}

/// Who else could be asked while an answer is kept is asked at once or not at all.
Task<Result<Claim>> claim_for(Exchange& x, bool keeping) {
    if (keeping) return Task<Result<Claim>>::ready(claim_now(x));
    return claim(x);
}

Task<Result<void>> try_endpoints(Exchange& x, bool keeping);

/// Delivers the answer of `turn`, or a better one that somebody else gives.
Task<Result<void>> pass_on(Exchange& x, Turn& turn, bool keeping) {
    if (may_do_better(x, turn)) {
        const Result<void> better = co_await try_endpoints(x, true);
        if (better || x.cancelled || x.sink->committed()) {
            co_await turn.abandon();
            co_return better;
        }
    }
    if (keeping && asks_elsewhere(x, turn.response())) {
        co_await turn.abandon();
        co_return Error{ErrorKind::no_endpoint};
    }
    co_return co_await turn.deliver();
}

/// A token that may_ask_again() has taken; goes back unless the attempt was made.
struct Token {
    Token(Exchange& of, bool is_taken) noexcept : x(of), taken(is_taken) {}
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    ~Token() {
        if (taken) x.budget().give_back();
    }

    Exchange& x;
    bool taken;
};

/// Endpoints until one gives an answer to be passed on, and passes it on. With `keeping`, somebody
/// keeps an answer that is as good as any that the route asks elsewhere for: one more of that kind
/// is not passed on, and no_endpoint says so.
Task<Result<void>> try_endpoints(Exchange& x, bool keeping) {
    std::optional<Error> last;
    Token token{x, keeping};
    for (;;) {
        Result<Claim> claimed = co_await claim_for(x, keeping);
        if (x.cancelled) {
            if (claimed) drop(x, *claimed);
            co_return Error{*x.cancelled};
        }
        if (!claimed) co_return last ? *last : claimed.error();
        Turn turn(x, std::move(*claimed),
                  last || keeping ? AttemptReason::again : AttemptReason::first);
        Hedge hedge(x, turn);
        Result<void> began = co_await turn.begin(&hedge);
        Turn& winner = *co_await hedge.settle(began);
        if (began || !turned_away(began.error().kind)) ++x.sent;
        if (began || !is_free(began.error().kind)) token.taken = false;
        if (began) co_return co_await pass_on(x, winner, keeping);
        co_await winner.abandon();
        last = began.error();
        if (!may_go_on(x, *last)) co_return *last;
        token.taken |= !is_free(last->kind);
        if (last->kind == ErrorKind::upstream_refused && winner.spent())
            std::erase(x.tried, &winner.endpoint());
    }
}

}  // namespace

Task<Result<void>> forward(Exchange& x) {
    x.affinity = affinity_of(x);
    x.budget().deposit();
    x.hedges().request();
    BodySource* const from_client = x.body;
    if (keeps_body(x)) {
        x.replay.start(*x.body, x.route->route->failover.replay, x.worker.replay_memory());
        x.body = &x.replay;
    }
    const Duration silence = x.grpc ? x.route->tunnel_idle : no_limit;
    const SilenceWatch watch(x, silence, ErrorKind::request_timeout);
    const Result<void> forwarded = co_await try_endpoints(x, false);
    x.replay.reset();
    x.body = from_client;
    co_return forwarded;
}

}  // namespace scrollgate
