#include "proxy/upstream/upstream_connection.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {
// ---- UpstreamConnection

UpstreamConnection::UpstreamConnection(EventLoop& loop, std::unique_ptr<Stream> stream,
                                       UpstreamPool& pool, EndpointSlot& slot,
                                       ConnectionToken token,
                                       std::shared_ptr<const TlsTarget> target, bool once)
    : Connection(loop, std::move(stream)),
      pool_(pool),
      slot_(slot),
      token_(std::move(token)),
      target_(std::move(target)),
      once_(once) {
    ++slot_.connections;
    add(pool_.gauges_.upstream_active, 1);
}

UpstreamConnection::~UpstreamConnection() {
    add(pool_.gauges_.upstream_active, -1);
    if (--slot_.connections == 0 && slot_.retired) {
        const EndpointState* const key = slot_.state.get();
        pool_.slots_.erase(key);
    }
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
        if (connection.target_ != endpoint.tls) {  // made for another configuration
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

UpstreamLease UpstreamPool::open(const Endpoint& endpoint, Limit* reached, std::string preface) {
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
    if (endpoint.tls && slot.target != endpoint.tls) {
        slot.target = endpoint.tls;
        slot.session = std::make_shared<TlsSession>();
    }
    const bool once = !preface.empty();
    const DialPlan plan{endpoint.tls, slot.session, std::move(preface)};
    return UpstreamLease(new UpstreamConnection(loop_, dialer_.open(loop_, plan), *this, slot,
                                                std::move(*token), endpoint.tls, once));
}

void UpstreamPool::keep(UpstreamConnection& connection, Duration idle) noexcept {
    std::vector<UpstreamConnection*>& row = connection.slot_.idle;
    if (connection.slot_.retired || connection.once_ || idle <= Duration::zero() ||
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
    connection.close();
    connection.token_.release();  // though its last operation may end later
    if (!connection.busy()) delete &connection;
}

template <class Among>
bool UpstreamPool::close_oldest(const Among& among) noexcept {
    UpstreamConnection* oldest = nullptr;
    for (const auto& [state, slot] : slots_) {
        if (slot->idle.empty() || !among(*slot)) continue;
        UpstreamConnection* const candidate = slot->idle.front();
        if (oldest == nullptr || candidate->idle_since_ < oldest->idle_since_) oldest = candidate;
    }
    if (oldest == nullptr) return false;
    leave_idle(*oldest);
    discard(*oldest);
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
        if (slot->retired) leaving.insert(leaving.end(), slot->idle.begin(), slot->idle.end());
    }
    for (UpstreamConnection* connection : leaving) {
        leave_idle(*connection);
        discard(*connection);
    }
    std::erase_if(slots_, [](const auto& entry) {
        return entry.second->retired && entry.second->connections == 0;
    });
}

void UpstreamPool::close_idle() noexcept {
    while (close_one_idle()) {
    }
}

}  // namespace scrollgate
