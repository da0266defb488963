// UpstreamConnection: one connection to an endpoint: new, or over HTTP/1 and busy with one attempt
// or idle, or what a SharedConnection rides on. UpstreamPool: those of a worker, by endpoint.
//
// An idle connection has a read pending: a FIN, a reset or a byte that nobody asked for ends it at
// once, so what is handed out was alive a moment ago. After a second it gives its buffer back.
// Ownership: the pool owns idle ones, an UpstreamLease the busy ones; one that must go while its
// read is pending deletes itself when that completes. One worker; no locks.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "balancer/lease.hpp"
#include "core/net/connection.hpp"
#include "core/net/dialer.hpp"
#include "proxy/observe/metrics.hpp"
#include "proxy/upstream/call_off.hpp"
#include "proxy/upstream/endpoint_slot.hpp"

namespace scrollgate {

class SharedSeat;
class UpstreamPool;
namespace http2 {
struct SessionOptions;
}

class UpstreamConnection final : public Connection, public CallOff {
  public:
    /// What it was made for.
    struct Made {
        std::shared_ptr<const TlsTarget> target;  ///< null: plain
        config::Pool::Protocol protocol = config::Pool::Protocol::http1;
        bool once = false;     ///< it serves one exchange: it began with the address of one client
        bool awaited = false;  ///< others count on it: they may be able to share it
    };
    UpstreamConnection(EventLoop& loop, std::unique_ptr<Stream> stream, UpstreamPool& pool,
                       EndpointSlot& slot, ConnectionToken token, Made made);
    ~UpstreamConnection() override;

    void fail(ErrorKind why) noexcept override { Connection::fail(why); }
    /// Has carried an exchange before the present one.
    [[nodiscard]] bool reused() const noexcept { return served_ > 0; }
    [[nodiscard]] const std::shared_ptr<const TlsTarget>& target() const noexcept {
        return made_.target;
    }
    [[nodiscard]] config::Pool::Protocol protocol() const noexcept { return made_.protocol; }

  private:
    friend class UpstreamPool;
    friend class UpstreamLease;
    enum class State : std::uint8_t { busy, idle, dead };

    void input_seen() noexcept override;
    void deadline_passed(ErrorKind kind) noexcept override;

    UpstreamPool& pool_;
    EndpointSlot& slot_;
    ConnectionToken token_;
    Made made_;
    State state_ = State::busy;
    std::uint32_t served_ = 0;
    TimePoint idle_since_{}, idle_until_ = never;
};

/// Hands a busy connection back: reusable if keep() was called, else closed.
class UpstreamLease {
  public:
    UpstreamLease() = default;
    explicit UpstreamLease(UpstreamConnection* connection) noexcept : connection_(connection) {}
    UpstreamLease(UpstreamLease&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)) {}
    UpstreamLease& operator=(UpstreamLease&& other) noexcept {
        if (this != &other) {
            reset();
            connection_ = std::exchange(other.connection_, nullptr);
        }
        return *this;
    }
    ~UpstreamLease() { reset(); }

    UpstreamConnection* operator->() const noexcept { return connection_; }
    UpstreamConnection& operator*() const noexcept { return *connection_; }
    explicit operator bool() const noexcept { return connection_ != nullptr; }
    /// Closes the connection.
    void reset() noexcept;
    /// Gives the connection back for another exchange, for at most `idle`.
    void keep(Duration idle) noexcept;

  private:
    UpstreamConnection* connection_ = nullptr;
};

class UpstreamPool {
  public:
    UpstreamPool(EventLoop& loop, Dialer& dialer, ConnectionGauges& gauges) noexcept
        : loop_(loop), dialer_(dialer), gauges_(gauges) {}
    ~UpstreamPool();

    /// An idle connection to `endpoint` that is not known to be dead, or an empty lease. With
    /// `young`, only one that was idle for less than limits::reuse_unsafe; with `careful`, the
    /// kernel is asked about one that was kept a moment ago (a system call).
    [[nodiscard]] UpstreamLease reuse(const Endpoint& endpoint, bool young, bool careful);
    [[nodiscard]] bool has_idle(const Endpoint& endpoint) const noexcept;
    /// A new connection for the caller to connect. At a limit, an idle one of this worker makes
    /// room; an empty lease if there is none, and `reached`, if not null, tells whose limit it is.
    /// With a `preface`, sent before all else, it serves one exchange.
    /// `alone`: over HTTP/1, whatever the endpoint might speak.
    [[nodiscard]] UpstreamLease open(const Endpoint& endpoint, Limit* reached = nullptr,
                                     std::string preface = {}, bool alone = false);

    // -- over HTTP/2 (shared_connection.hpp)
    /// A stream on a connection to `endpoint` that has room, or a place among those that wait for
    /// one that is being opened; an empty seat if the caller has to open one. For a `tunnel`, where
    /// there is a choice, only on a connection that is known to take those.
    [[nodiscard]] SharedSeat seat(const Endpoint& endpoint, bool tunnel);
    /// A place among those that wait, for the caller who was not to open one.
    [[nodiscard]] SharedSeat place(const Endpoint& endpoint);
    /// `connection`, which open() gave and is connected now, speaks HTTP/2: it is shared from now
    /// on, ends when it was idle for `idle`, and its first seat is the caller's.
    [[nodiscard]] SharedSeat share(UpstreamLease connection, const http2::SessionOptions& options,
                                   Duration idle);
    /// … speaks HTTP/1, though it might have been otherwise.
    void speaks_http1(UpstreamConnection& connection) noexcept;
    /// Closes the oldest idle connection of all, to free a descriptor. False if there is none.
    bool close_one_idle() noexcept;
    /// The same among those to one endpoint.
    bool close_one_idle(const EndpointState& of) noexcept;
    /// The same among those to one pool.
    bool close_one_idle(const PoolState& of) noexcept;
    /// Endpoints that are in no set of `current` get no new use; their idle connections close.
    void retire_others(const std::vector<std::shared_ptr<const EndpointSet>>& current);
    /// Closes all idle connections (drain, tests).
    void close_idle() noexcept;

  private:
    friend class SharedConnection;
    friend class SharedSeat;
    friend class UpstreamConnection;
    friend class UpstreamLease;

    /// Whether it can be shared is known, or will never be.
    void arrived(UpstreamConnection& connection) noexcept;
    void idle_shared(int change) noexcept { add(gauges_.upstream_idle, change); }
    /// Closes one, whose end is its owner's; its counts are free at once.
    void close(UpstreamConnection& connection) noexcept;
    /// Nobody needs `slot` any more, perhaps.
    void sweep(EndpointSlot& slot) noexcept;
    [[nodiscard]] EndpointSlot& slot_of(const Endpoint& endpoint);
    void keep(UpstreamConnection& connection, Duration idle) noexcept;
    void discard(UpstreamConnection& connection) noexcept;
    void leave_idle(UpstreamConnection& connection) noexcept;
    template <class Among>
    bool close_oldest(const Among& among) noexcept;

    EventLoop& loop_;
    Dialer& dialer_;
    ConnectionGauges& gauges_;
    std::unordered_map<const EndpointState*, std::unique_ptr<EndpointSlot>> slots_;
};

}  // namespace scrollgate
