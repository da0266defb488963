#include "proxy/server/worker.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.hpp"
#include "core/log.hpp"
#include "health/health.hpp"
#include "proxy/caching/fleet.hpp"
#include "proxy/pipeline/guard.hpp"

namespace scrollgate {
namespace {

/// Of `all`, those that `which` names; each may be gone afterwards.
template <typename All, typename Which>
void drain_each(All& all, const Which& which) {
    for (auto next = all.begin(); next != all.end();) {
        auto& one = *next++;
        if (which(one)) one.drain();
    }
}

SocketAddress local_address(int descriptor) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::getsockname(descriptor, raw, &size) != 0) return {};
    return SocketAddress(raw, size);
}

std::vector<std::shared_ptr<const EndpointSet>> values(const PoolSets& sets) {
    std::vector<std::shared_ptr<const EndpointSet>> all;
    for (const auto& [name, set] : sets)
        all.push_back(set);
    return all;
}

}  // namespace

Worker::Worker(unsigned index, const WorkerShared& shared, std::uint32_t frequency,
               std::shared_ptr<const Snapshot> snapshot, const PoolSets& sets)
    : index_(index),
      shared_(shared),
      gauges_(shared.metrics.connections(index)),
      loop_(shared.clock, random_seed(), frequency),
      upstreams_(loop_, shared.dialer, gauges_),
      snapshot_(new WorkerSnapshot(std::move(snapshot), sets, nullptr)) {
    watch_standbys(sets);
    if (shared.cache.fleet == nullptr) return;
    seat_ = shared.cache.fleet->seat(loop_);
    tier_ = &seat_->tier();
}

Worker::~Worker() = default;

void Worker::run() {
    if (seat_) seat_->start();
    loop_.run();
    acceptors_.clear();
    abandon_sessions();
    abandon_fills();
    if (seat_) seat_->stop();
    standbys_.stop();
    upstreams_.close_idle();
    while (loop_.poll()) {        // what was closed completes
        abandon_fills();          // those, too, that began on the way
        upstreams_.close_idle();  // and what nobody needs any more
    }
}

// ---- any thread

void Worker::adopt(std::shared_ptr<const Snapshot> snapshot, PoolSets sets) {
    loop_.post([this, next = std::move(snapshot), sets = std::move(sets)] {
        snapshot_ = new WorkerSnapshot(next, sets, snapshot_.get());
        upstreams_.retire_others(values(sets));
        watch_standbys(sets);
    });
}

void Worker::update(PoolSets sets) {
    loop_.post([this, sets = std::move(sets)] {
        for (RouteBalancer& balancer : snapshot_->balancers)
            balancer.update(sets);
        upstreams_.retire_others(values(sets));
        watch_standbys(sets);
    });
}

void Worker::watch_standbys(const PoolSets& sets) {
    const config::Timeouts& timeouts = snapshot_->shared->config->timeouts;
    standbys_.watch(values(sets), timeouts.connect, timeouts.upstream_idle);
}

void Worker::listen(int descriptor, std::shared_ptr<const ListenerRuntime> listener) {
    loop_.post([this, descriptor, next = std::move(listener)] {
        if (const auto before = std::exchange(listeners_[descriptor], next)) {
            if (before->terms != next->terms) drain_those_under(before->terms);
            return;
        }
        acceptors_.push_back(std::make_unique<Acceptor>(
            loop_, descriptor,
            [this, descriptor](int fd, const SocketAddress& peer) {
                accepted(descriptor, fd, peer);
            },
            [this](const boost::system::error_code& error) {
                add(gauges_.shed, 1);
                out_of_descriptors(error);
            }));
    });
}

void Worker::stop_listening(int descriptor, std::function<void()> done) {
    loop_.post([this, descriptor, done = std::move(done)] {
        std::erase_if(acceptors_, [&](const std::unique_ptr<Acceptor>& acceptor) {
            if (acceptor->descriptor() != descriptor) return false;
            acceptor->drain();
            return true;
        });
        if (const auto gone = listeners_.extract(descriptor); !gone.empty())
            drain_those_under(gone.mapped()->terms);
        done();
    });
}

void Worker::say_close() {
    loop_.post([this] {
        closing_ = true;
        for (Session& session : sessions_)
            session.say_close();
    });
}

void Worker::drain(std::function<void()> done) {
    loop_.post([this, done = std::move(done)] {
        drained_ = done;
        closing_ = true;
        const auto all = [](const auto&) { return true; };
        drain_each(sessions_, all);
        drain_each(greetings_, all);
        finish_drain();
    });
}

void Worker::abandon_all() {
    loop_.post([this] {
        abandon_sessions();
        abandon_fills();
    });
}

void Worker::stop() {
    loop_.stop();
}

// ---- this worker's thread

std::string_view Worker::date() {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(shared_.clock.wall().time_since_epoch());
    if (now.count() != date_second_) {
        date_second_ = now.count();
        const std::time_t time = static_cast<std::time_t>(date_second_);
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        char text[32];
        const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %T GMT", &parts);
        date_.assign(text, size);
    }
    return date_;
}

void Worker::observe(Exchange& x) {
    ExchangeRecord& record = x.record;
    record.ended = loop_.now();
    if (log_enabled()) {
        record.wall = shared_.clock.wall();
        shared_.access_log.write(index_, record);
    }
    const std::uint32_t series = x.route != nullptr ? x.route->series : Metrics::no_route;
    shared_.metrics.observe(index_, series, record);
    if (shared_.health != nullptr && record.endpoint != nullptr) shared_.health->stir();
}

bool Worker::purge(const Purge& purge) {
    if (cache().fleet != nullptr) return cache().fleet->purge(purge, nullptr).has_value();
    return cache().store.purge(purge).has_value();
}

void Worker::ring_health() {
    if (shared_.health != nullptr) shared_.health->ring();
}

void Worker::observe_attempt(const Exchange& x, const Endpoint& endpoint,
                             std::optional<ErrorKind> error, Duration took) {
    const PoolRuntime& pool = x.snapshot->shared->pool(endpoint.pool);
    shared_.metrics.attempt(index_, pool.series, error, took);
}

void Worker::ask_for_room(const Endpoint& endpoint, Limit reached) {
    for (const std::unique_ptr<Worker>& other : shared_.workers) {
        if (other.get() == this) continue;
        other->loop_.post([this, other = other.get(), state = endpoint.state,
                           pool = endpoint.pool_state, reached] {
            UpstreamPool& upstreams = other->upstreams_;
            const bool closed = reached == Limit::pool ? upstreams.close_one_idle(*pool)
                                                       : upstreams.close_one_idle(*state);
            // It was closed for who waits here, who would else find the room taken again.
            if (closed) loop_.post([this, pool] { static_cast<void>(pending_.wake_one(*pool)); });
        });
    }
}

void Worker::hand_on(const Endpoint& endpoint) {
    if (!endpoint.limits.may_fill()) return;
    const PoolState& pool = *endpoint.pool_state;
    const std::size_t own = pending_.waiting_for(pool);
    const std::uint32_t all = pool.pending.load(std::memory_order_relaxed);
    const bool ours = all <= own || loop_.rng().below(all) < own;
    if (ours && own > 0 && pending_.wake_one(pool)) return;
    if (all > 0) offer_room(endpoint.pool_state, shared_.workers.size() - 1);
}

/// To the next worker, and so on, until one has who waits.
void Worker::offer_room(std::shared_ptr<PoolState> pool, std::size_t others) {
    if (others == 0) return;
    Worker& next = *shared_.workers[(index_ + 1) % shared_.workers.size()];
    next.loop_.post([&next, pool = std::move(pool), others]() mutable {
        if (!next.pending_.wake_one(*pool)) next.offer_room(std::move(pool), others - 1);
    });
}

void Worker::out_of_descriptors(const boost::system::error_code& error) {
    warn(About::room, fmt::format("new connections are turned away: {}; raise RLIMIT_NOFILE, or "
                                  "lower limits.connections",
                                  error.message()));
}

void Worker::warn(About about, const std::string& what) {
    TimePoint& last = warned_[static_cast<std::size_t>(about)];
    const TimePoint now = loop_.now();
    if (now - last < std::chrono::seconds(1)) return;
    last = now;
    log::warn("worker {}: {}", index_, what);
}

// ---- sessions

void Worker::accepted(int listening, int descriptor, const SocketAddress& peer) {
    add(gauges_.accepted, 1);
    if (!shared_.admission.enter(peer)) {
        ::close(descriptor);
        add(gauges_.shed, 1);
        warn(About::room,
             "new connections are turned away: limits.connections (its default follows the "
             "descriptor limit RLIMIT_NOFILE) or limits.connections_per_ip is reached");
        return;
    }
    const std::shared_ptr<const ListenerRuntime>& listener = listeners_[listening];
    if (listener->tls || listener->proxy_protocol)
        return Greeting::start(*this, descriptor, peer, listener);
    std::unique_ptr<Stream> stream = adopt_tcp_stream(loop_, descriptor);
    if (!stream) return shared_.admission.leave(peer);
    start_session(*this, std::move(stream), client_of(*listener, peer, descriptor),
                  Protocol::cleartext);
}

Client Worker::client_of(const ListenerRuntime& listener, const SocketAddress& peer,
                         int descriptor) const {
    Client client{peer, peer.ip(), "http", listener.name,
                  is_trusted(*snapshot_->shared->config, peer)};
    client.https_redirect = listener.https_redirect;
    client.terms = listener.terms;
    if (snapshot_->shared->sends_addresses) client.local = local_address(descriptor);
    return client;
}

bool Worker::closing(const Client& client) const noexcept {
    if (closing_ || client.terms == 0) return closing_;
    return std::none_of(listeners_.begin(), listeners_.end(), [&](const auto& listener) {
        return listener.second->terms == client.terms;
    });
}

void Worker::drain_those_under(std::uint64_t terms) {
    drain_each(sessions_, [terms](const Session& one) { return one.client().terms == terms; });
    drain_each(greetings_, [terms](const Greeting& one) { return one.terms() == terms; });
}

void Worker::greeting_began(Greeting& greeting) {
    if (greetings_.size() >= limits::handshakes) {
        add(gauges_.handshakes_shed, 1);
        greetings_.front().abandon();  // the oldest: it has had the most time
    }
    greetings_.push_back(greeting);
    add(gauges_.handshaking, 1);
}

void Worker::greeting_ended(Greeting& greeting) {
    greetings_.erase(greetings_.iterator_to(greeting));
    add(gauges_.handshaking, -1);
    if (greetings_.empty() && drained_) loop_.post([this] { finish_drain(); });
}

void Worker::session_began(Session& session) {
    sessions_.push_back(session);
    add(gauges_.client_active, 1);
}

void Worker::session_replaced(Session& session) {
    sessions_.push_back(session);
}

void Worker::session_ended(const SocketAddress& peer) {
    shared_.admission.leave(peer);
    add(gauges_.client_active, -1);
    finish_drain();
}

void Worker::idle_sessions(int change) noexcept {
    add(gauges_.client_idle, change);
}

void Worker::flooded(http2::Flood kind) noexcept {
    const auto index = static_cast<std::size_t>(kind);
    if (index < http2::floods) add(gauges_.floods[index], 1);
}

void Worker::abandon_sessions() {
    while (!greetings_.empty())  // each leaves the list at once
        greetings_.front().abandon();
    for (auto session = sessions_.begin(); session != sessions_.end();)
        (session++)->abandon();
}

void Worker::abandon_fills() {
    for (auto fill = fills_.begin(); fill != fills_.end();)
        (fill++)->abandon();
}

void Worker::finish_drain() {
    if (!drained_ || !sessions_.empty() || !greetings_.empty()) return;
    for (const std::unique_ptr<Acceptor>& acceptor : acceptors_)
        acceptor->drain();
    drain_each(greetings_, [](const Greeting&) { return true; });
    if (sessions_.empty() && greetings_.empty()) std::exchange(drained_, nullptr)();
}

Worker::TunnelCount::TunnelCount(Worker& worker) noexcept : worker_(worker) {
    add(worker_.gauges_.tunnels, 1);
}

Worker::TunnelCount::~TunnelCount() {
    add(worker_.gauges_.tunnels, -1);
}

}  // namespace scrollgate
