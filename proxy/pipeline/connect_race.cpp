#include "proxy/pipeline/connect_race.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "core/net/tls_error.hpp"
#include "proxy/pipeline/tally.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

using Way = Connection::Way;

ErrorKind connect_error(const boost::system::error_code& error) {
    switch (error.value()) {
        case ECONNREFUSED:
            return ErrorKind::connect_refused;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return ErrorKind::overloaded;
        default:
            return ErrorKind::connect_failed;
    }
}

bool refused(ErrorKind kind) noexcept {
    return kind == ErrorKind::connect_refused || kind == ErrorKind::connect_failed;
}

/// How long a connect to `endpoint` may take before somebody else is tried: as long as hardly one
/// of those before it did, or several times the longest while they are few. A near endpoint is
/// raced earlier than configured; a far one, where each connect takes longer, later.
Duration patience(const Exchange& x, const Endpoint& endpoint) noexcept {
    const Duration configured = x.route->route->failover.connect_race;
    const LatencyWindow& connects = endpoint.state->connects;
    const Duration least = std::min<Duration>(limits::race_least, configured);
    if (configured == no_limit || connects.count() == 0) return configured;
    if (connects.count() < limits::race_samples) {
        const int times = endpoint.state->missed_one() ? 2 : 4;
        return std::clamp(times * connects.quantile(1), least, configured);
    }
    const Duration most = std::min<Duration>(limits::race_most, x.route->connect / 2);
    return std::clamp(connects.quantile(0.99), least, std::max(configured, most));
}

/// What TLS did not come about for is told nowhere else unless checks of health find it, too: the
/// client and its log line have `connect_failed`.
void tell_of_tls(Exchange& x, const Endpoint& endpoint, const boost::system::error_code& why) {
    if (why.category() != tls_category()) return;
    x.worker.warn(Worker::About::origin,
                  fmt::format("pool {}: no TLS with {} ({}): {}", endpoint.pool, endpoint.text,
                              endpoint.name, why.message()));
}

http2::SessionOptions options_for(const Exchange& x) {
    const config::Limits& limits = x.config().limits;
    http2::SessionOptions options;
    options.header_bytes = static_cast<std::uint32_t>(limits.header_bytes);
    options.fields = static_cast<std::uint32_t>(limits.headers);
    options.connection_window = limits::http2_upstream_window;
    options.windows = http2::SessionOptions::Windows::manual;
    return options;
}

/// The connection of `claim` is there: what is spoken on it. Over HTTP/2 others may share it.
Result<void> agree(Exchange& x, Claim& claim) {
    using Protocol = config::Pool::Protocol;
    const Protocol protocol = claim.endpoint().protocol;
    if (protocol == Protocol::http1) return Result<void>();
    const bool http2 = protocol == Protocol::h2c || claim.connection->alpn() == "h2";
    if (protocol == Protocol::h2 && !http2) {
        tell_of_tls(x, claim.endpoint(), TlsError::no_protocol);
        return Error{ErrorKind::connect_failed, true, TlsError::no_protocol,
                     "the endpoint does not agree to HTTP/2 (ALPN)"};
    }
    UpstreamPool& upstreams = x.worker.upstreams();
    if (http2) {
        claim.seat = upstreams.share(std::move(claim.connection), options_for(x),
                                     x.config().timeouts.upstream_idle);
    } else {
        upstreams.speaks_http1(*claim.connection);
    }
    return Result<void>();
}

/// Somebody else connects: waits for a seat, or for the turn to connect ourselves.
Task<Result<void>> join(Exchange& x, Claim& claim) {
    const TimePoint limit = after(x.worker.loop().now(), x.route->connect);
    const ErrorKind late =
        limit <= x.until ? ErrorKind::connect_timeout : ErrorKind::request_timeout;
    SeatWait wait(x.worker.loop());
    x.attach(wait);
    while (!claim.ready() && !claim.connection && !wait.failure) {
        wait.gate.reset();
        // Only what is being opened tells of itself: room may come up for others, too.
        TimePoint look = std::min(limit, x.until);
        if (!claim.seat.opening())
            look = std::min(look, x.worker.loop().now() + limits::pending_look);
        if (look != never) wait.gate.limit(look);
        claim.seat.waits_with(&wait);
        co_await claim.seat.wait(wait.gate);
        if (wait.failure) break;
        if (x.worker.loop().now() >= std::min(limit, x.until)) {
            wait.failure = claim.seat.opening() ? late : ErrorKind::overloaded;
        } else if (!claim_again(x, claim)) {
            claim.seat = x.worker.upstreams().place(claim.endpoint());
        }
    }
    x.detach(wait);
    claim.seat.waits_with(nullptr);
    if (wait.failure) co_return Error{*wait.failure, true};
    co_return Result<void>();
}

/// One connect, on the connection of `claim`.
Task<Result<void>> connect_once(Exchange& x, Claim& claim) {
    if (!claim.connection) {
        const Result<void> joined = co_await join(x, claim);
        if (!joined || claim.seat) co_return joined;
    }
    UpstreamConnection& connection = *claim.connection;
    const TimePoint begun = x.worker.loop().now();
    const TimePoint limit = after(begun, x.route->connect);
    connection.expire_at(
        Way::write, std::min(limit, x.until),
        limit <= x.until ? ErrorKind::connect_timeout : ErrorKind::request_timeout);
    x.attach(connection);
    const boost::system::error_code error = co_await connection.connect(claim.endpoint().address);
    x.detach(connection);
    connection.expire_at(Way::write, never, ErrorKind::cancelled);
    if (const std::optional<ErrorKind> failure = connection.failure()) {
        co_return Error{*failure, true, error};
    }
    tell_of_tls(x, claim.endpoint(), error);
    if (error) co_return Error{connect_error(error), true, error};
    claim.endpoint().state->connects.record(x.worker.loop().now() - begun);
    co_return agree(x, claim);
}

/// The same; out of descriptors, an idle connection is closed and one more try made.
Task<Result<void>> connect_with_room(Exchange& x, Claim& claim) {
    Result<void> connected = co_await connect_once(x, claim);
    if (connected || connected.error().kind != ErrorKind::overloaded) co_return connected;
    if (!claim.connection) co_return connected;
    x.worker.out_of_descriptors(connected.error().cause);
    if (!x.worker.upstreams().close_one_idle()) co_return connected;
    claim.leave();
    if (claim_again(x, claim)) connected = co_await connect_once(x, claim);
    co_return connected;
}

}  // namespace

Task<Result<void>> ConnectRace::run() {
    const TimePoint begun = x_.worker.loop().now();
    const TimePoint race = after(begun, patience(x_, first_.endpoint()));
    if (race != never) x_.worker.loop().arm(*this, race);
    asks_until_ = race == never ? never : race + limits::hedge_patience;
    Result<void> ended = co_await connect_with_room(x_, first_);
    first_ended_ = true;
    disarm();
    if (ended && !second_won_) {
        decided_ = true;
        if (second_) second_->fail(ErrorKind::cancelled);
    }
    co_await child_.join();
    const TimePoint now = x_.worker.loop().now();
    took_ = now - begun;
    if (!second_won_) {
        if (second_ && second_ended_) let_go(*second_, second_ended_, second_begun_);
        if (!ended) let_go(first_, ended, begun);
        co_return ended;
    }
    // Others can be connected to, this one not in a multiple of their time: that is evidence.
    const bool overtaken = ended || ended.error().kind == ErrorKind::cancelled;
    if (overtaken) overdue(x_, first_.endpoint(), took_);
    let_go(first_, ended, begun);
    first_ = std::move(*second_);
    took_ = now - second_begun_;
    x_.record.hedge_won = true;
    co_return Result<void>();
}

// The time is over: somebody else may be quicker, and hardly one whose cloud is out of reach, too.
void ConnectRace::expired() noexcept {
    if (x_.cancelled) return;
    if (const Result<void> claimed = claim_second(); claimed) {
        child_.start(run_second());
    } else if (claimed.error().kind == ErrorKind::overloaded) {  // full for a moment, perhaps
        const TimePoint again = x_.worker.loop().now() + limits::hedge_again;
        if (again < asks_until_) x_.worker.loop().arm(*this, again);
    }
}

Result<void> ConnectRace::claim_second() {
    Result<Claim> other = claim_beside(x_, first_.endpoint());
    if (!other) return other.error();
    second_.emplace(std::move(*other));
    second_ended_ = {};
    second_begun_ = x_.worker.loop().now();
    begin_attempt(x_, second_->endpoint(), AttemptReason::beside);
    return {};
}

// Where one refuses the next is tried, each once, as without a race, as long as the first hangs.
Task<void> ConnectRace::run_second() {
    do {
        if (!second_->ready()) second_ended_ = co_await connect_with_room(x_, *second_);
        if (second_ended_ && !decided_) {
            decided_ = second_won_ = true;
            first_.fail(ErrorKind::cancelled);
        }
        if (second_ended_) co_return;
        let_go(*second_, second_ended_, second_begun_);
    } while (!decided_ && !first_ended_ && !x_.cancelled && refused(second_ended_.error().kind) &&
             ++x_.turned_away < limits::turned_away_most && claim_second());
}

void ConnectRace::call_off() noexcept {
    decided_ = true;
    disarm();
    first_.fail(ErrorKind::cancelled);
    if (second_) second_->fail(ErrorKind::cancelled);
}

void ConnectRace::let_go(Claim& loser, const Result<void>& ended, TimePoint begun) {
    const Endpoint& endpoint = loser.endpoint();
    const Error why = ended ? Error{ErrorKind::cancelled} : ended.error();
    end_attempt(x_, endpoint, why, x_.worker.loop().now() - begun);
    // It was not asked, only slower: if the winner fails, it may be.
    if (why.kind == ErrorKind::cancelled) std::erase(x_.tried, &endpoint);
    loser.leave();
    loser.lease.release();
    x_.worker.hand_on(endpoint);
}

}  // namespace scrollgate
