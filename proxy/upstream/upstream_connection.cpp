#include "proxy/upstream/upstream_connection.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "proxy/upstream/shared_connection.hpp"

namespace scrollgate {
namespace {

/// What connects to `endpoint` may turn out to be a connection that many share.
bool may_share(const Endpoint& endpoint) noexcept {
    using Protocol = config::Pool::Protocol;
    return endpoint.protocol == Protocol::h2 || endpoint.protocol == Protocol::h2c ||
           (endpoint.protocol == Protocol::automatic && endpoint.tls != nullptr);
}

}  // namespace

// ---- UpstreamConnection

UpstreamConnection::UpstreamConnection(EventLoop& loop, std::unique_ptr<Stream> stream,
                                       UpstreamPool& pool, EndpointSlot& slot,
                                       ConnectionToken token, Made made)
    : Connection(loop, std::move(stream)),
      pool_(pool),
      slot_(slot),
      token_(std::move(token)),
      made_(std::move(made)) {
    ++slot_.connections;
    slot_.opening += made_.awaited ? 1 : 0;
    add(pool_.gauges_.upstream_active, 1);
}

UpstreamConnection::~UpstreamConnection() {
    add(pool_.gauges_.upstream_active, -1);
    --slot_.connections;
    pool_.sweep(slot_);
}

void UpstreamConnection::input_seen() noexcept {
    if (state_ == State::dead) {
        if (!busy()) delete this;
    } else if (state_ == State::idle) {
        pool_.leave_idle(*this);  // a FIN, a reset, or bytes that nobody asked for
        pool_.discard(*this);
    }
}

void UpstreamConnection::deadline_passed(ErrorKind kind) noexcept {
    if (state_ != State::idle) {
        fail(kind);
    } else if (loop().now() < idle_until_) {
        park();
        expire_at(Way::read, idle_until_, ErrorKind::cancelled);
    } else {
        pool_.leave_idle(*this);
        pool_.discard(*this);
    }
}

// ---- UpstreamLease

void UpstreamLease::reset() noexcept {
    if (connection_ == nullptr) return;
    UpstreamConnection& connection = *std::exchange(connection_, nullptr);
    connection.pool_.discard(connection);
}

void UpstreamLease::keep(Duration idle) noexcept {
    UpstreamConnection& connection = *std::exchange(connection_, nullptr);
    connection.pool_.keep(connection, idle);
}

// ---- UpstreamPool

UpstreamPool::~UpstreamPool() {
    close_idle();
}

EndpointSlot& UpstreamPool::slot_of(const Endpoint& endpoint) {
    std::unique_ptr<EndpointSlot>& slot = slots_[endpoint.state.get()];
    if (!slot) slot = std::make_unique<EndpointSlot>(endpoint);
    return *slot;
}

// With `careful`, what the loop has had no turn to see since the connection was kept (a FIN, bytes
// that nobody asked for, which would be taken for the next answer) is asked of the kernel.
UpstreamLease UpstreamPool::reuse(const Endpoint& endpoint, bool young, bool careful) {
    const auto found = slots_.find(endpoint.state.get());
    if (found == slots_.end() || found->second->idle.empty()) return {};
    std::vector<UpstreamConnection*>& row = found->second->idle;
    while (!row.empty()) {
        UpstreamConnection& connection = *row.back();
        const Duration idle = loop_.now() - connection.idle_since_;
        if (young && idle >= limits::reuse_unsafe) return {};
        leave_idle(connection);
        if (connection.made_.target != endpoint.tls ||
            connection.made_.protocol != endpoint.protocol) {  // another configuration
            discard(connection);
            continue;
        }
        if (careful && idle < limits::loop_turn && !connection.quiet()) {
            discard(connection);
            continue;
        }
        connection.state_ = UpstreamConnection::State::busy;
        connection.expire_at(Connection::Way::read, never, ErrorKind::cancelled);
        return UpstreamLease(&connection);
    }
    return {};
}

bool UpstreamPool::has_idle(const Endpoint& endpoint) const noexcept {
    const auto found = slots_.find(endpoint.state.get());
    return found != slots_.end() && !found->second->idle.empty();
}

UpstreamLease UpstreamPool::open(const Endpoint& endpoint, Limit* reached, std::string preface,
                                 bool alone) {
    Limit limit = Limit::none;
    std::optional<ConnectionToken> token = ConnectionToken::try_acquire(endpoint, &limit);
    // It leads to another endpoint, or the caller may not use it.
    const bool room = limit == Limit::endpoint
                          ? close_one_idle(*endpoint.state)
                          : limit == Limit::pool && close_one_idle(*endpoint.pool_state);
    if (room) token = ConnectionToken::try_acquire(endpoint, &limit);
    if (reached != nullptr) *reached = limit;
    if (!token) return {};
    EndpointSlot& slot = slot_of(endpoint);
    const bool http1 = alone && endpoint.tls_http1 != nullptr;
    UpstreamConnection::Made made{.target = http1 ? endpoint.tls_http1 : endpoint.tls,
                                  .protocol = endpoint.protocol,
                                  .once = !preface.empty(),
                                  .awaited = !alone && may_share(endpoint)};
    if (endpoint.tls && slot.target != endpoint.tls) {
        slot.target = endpoint.tls;
        slot.session = std::make_shared<TlsSession>();
        slot.speaks_http1 = false;
    }
    const DialPlan plan{made.target, http1 ? nullptr : slot.session, std::move(preface)};
    return UpstreamLease(new UpstreamConnection(loop_, dialer_.open(loop_, plan), *this, slot,
                                                std::move(*token), std::move(made)));
}

// ---- shared ones

SharedSeat UpstreamPool::seat(const Endpoint& endpoint, bool tunnel) {
    const auto found = slots_.find(endpoint.state.get());
    if (found == slots_.end()) return {};
    EndpointSlot& slot = *found->second;
    const bool choice = endpoint.protocol == config::Pool::Protocol::automatic;
    for (SharedConnection* const one : slot.shared) {
        if (!one->fits(endpoint)) {  // made for another configuration
            one->retire();
        } else if (one->takes() && (!tunnel || !choice || one->peer_takes_connect())) {
            return SharedSeat(*one);
        }
    }
    if (choice && (tunnel || slot.speaks_http1)) return {};
    if (slot.joining >= slot.opening * limits::http2_streams) return {};
    return SharedSeat(slot, *this);
}

SharedSeat UpstreamPool::place(const Endpoint& endpoint) {
    return SharedSeat(slot_of(endpoint), *this);
}

SharedSeat UpstreamPool::share(UpstreamLease connection, const http2::SessionOptions& options,
                               Duration idle) {
    EndpointSlot& slot = connection->slot_;
    slot.speaks_http1 = false;
    auto* const shared = new SharedConnection(*this, slot, std::move(connection), options, idle);
    SharedSeat first(*shared);
    detach(shared->run());
    return first;
}

void UpstreamPool::speaks_http1(UpstreamConnection& connection) noexcept {
    connection.slot_.speaks_http1 = connection.slot_.speaks_http1 || connection.made_.awaited;
    arrived(connection);
}

void UpstreamPool::arrived(UpstreamConnection& connection) noexcept {
    if (!std::exchange(connection.made_.awaited, false)) return;
    --connection.slot_.opening;
    connection.slot_.wake_all();
}

void UpstreamPool::close(UpstreamConnection& connection) noexcept {
    arrived(connection);
    connection.close();
    connection.token_.release();
}

void UpstreamPool::sweep(EndpointSlot& slot) noexcept {
    if (slot.retired && slot.connections == 0 && slot.joining == 0) {
        const EndpointState* const key = slot.state.get();
        slots_.erase(key);
    }
}

// ---- idle ones

void UpstreamPool::keep(UpstreamConnection& connection, Duration idle) noexcept {
    std::vector<UpstreamConnection*>& row = connection.slot_.idle;
    if (connection.slot_.retired || connection.made_.once || idle <= Duration::zero() ||
        connection.failure() || connection.at_end() || !connection.received().empty() ||
        (connection.unread_behind() && !connection.quiet())) {
        discard(connection);
        return;
    }
    if (row.size() >= limits::idle_per_endpoint) {
        UpstreamConnection& oldest = *row.front();
        leave_idle(oldest);
        discard(oldest);
    }
    ++connection.served_;
    connection.state_ = UpstreamConnection::State::idle;
    connection.idle_since_ = loop_.now();
    connection.idle_until_ = after(connection.idle_since_, idle);
    row.push_back(&connection);
    add(gauges_.upstream_idle, 1);
    const Duration first = std::min<Duration>(idle, limits::buffer_return);
    connection.expire_at(Connection::Way::read, connection.idle_since_ + first,
                         ErrorKind::cancelled);
    connection.unpin();
    connection.want_bulk(false);
    connection.arm();
}

void UpstreamPool::leave_idle(UpstreamConnection& connection) noexcept {
    std::vector<UpstreamConnection*>& row = connection.slot_.idle;
    if (row.back() == &connection) {  // the one that is used again
        row.pop_back();
    } else {
        std::erase(row, &connection);
    }
    add(gauges_.upstream_idle, -1);
}

void UpstreamPool::discard(UpstreamConnection& connection) noexcept {
    connection.state_ = UpstreamConnection::State::dead;
    close(connection);  // though its last operation may end later
    if (!connection.busy()) delete &connection;
}

template <class Among>
bool UpstreamPool::close_oldest(const Among& among) noexcept {
    UpstreamConnection* oldest = nullptr;
    SharedConnection* shared = nullptr;
    TimePoint since = never;
    for (const auto& [state, slot] : slots_) {
        if (!among(*slot)) continue;
        if (!slot->idle.empty() && slot->idle.front()->idle_since_ < since) {
            oldest = slot->idle.front();
            since = oldest->idle_since_;
            shared = nullptr;
        }
        for (SharedConnection* const one : slot->shared) {
            if (!one->idle() || one->idle_since() >= since) continue;
            shared = one;
            since = one->idle_since();
        }
    }
    if (since == never) return false;
    if (shared != nullptr) {
        shared->close_idle();
    } else {
        leave_idle(*oldest);
        discard(*oldest);
    }
    return true;
}

bool UpstreamPool::close_one_idle() noexcept {
    return close_oldest([](const EndpointSlot&) { return true; });
}

bool UpstreamPool::close_one_idle(const EndpointState& of) noexcept {
    return close_oldest([&of](const EndpointSlot& slot) { return slot.state.get() == &of; });
}

bool UpstreamPool::close_one_idle(const PoolState& of) noexcept {
    return close_oldest([&of](const EndpointSlot& slot) { return slot.pool.get() == &of; });
}

void UpstreamPool::retire_others(const std::vector<std::shared_ptr<const EndpointSet>>& current) {
    for (const auto& [state, slot] : slots_)
        slot->retired = true;
    for (const std::shared_ptr<const EndpointSet>& set : current) {
        for (const std::shared_ptr<const Endpoint>& endpoint : *set) {
            const auto found = slots_.find(endpoint->state.get());
            if (found != slots_.end()) found->second->retired = false;
        }
    }
    std::vector<UpstreamConnection*> leaving;
    for (const auto& [state, slot] : slots_) {
        if (!slot->retired) continue;
        leaving.insert(leaving.end(), slot->idle.begin(), slot->idle.end());
        for (SharedConnection* const one : slot->shared)
            one->retire();
    }
    for (UpstreamConnection* connection : leaving) {
        leave_idle(*connection);
        discard(*connection);
    }
    std::erase_if(slots_, [](const auto& entry) {
        const EndpointSlot& slot = *entry.second;
        return slot.retired && slot.connections == 0 && slot.joining == 0;
    });
}

void UpstreamPool::close_idle() noexcept {
    while (close_one_idle()) {
    }
}

}  // namespace scrollgate
