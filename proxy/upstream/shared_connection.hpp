// SharedConnection: one HTTP/2 connection to an endpoint, which many exchanges share.
// SharedSeat: an exchange's place on one, or among those that wait for one.
//
// It rides on an UpstreamConnection, which keeps the counts and the socket, and owns itself: it is
// destroyed when nothing is carried any more and nobody has a seat. A seat is one stream, or the
// right to open one; a peer that has not said how many it takes gets one. An idle connection ends
// after timeouts.upstream_idle; one that is silent while somebody waits is asked for a sign of life
// (PING, and rarely again, because servers take many for a flood; sooner, a few times, if streams
// were opened since), and takes no new streams while it owes that. After GOAWAY, or when it is
// retired, it carries on what it has. One worker; no locks.
#pragma once

#include "core/http2/client_session.hpp"
#include "core/http2/link.hpp"
#include "proxy/upstream/endpoint_slot.hpp"
#include "proxy/upstream/upstream_connection.hpp"

namespace scrollgate {

class SharedConnection final : public http2::ClientSession, private TimerWheel::Timer {
  public:
    /// On `connection`, which is connected; carried by run().
    SharedConnection(UpstreamPool& pool, EndpointSlot& slot, UpstreamLease connection,
                     const http2::SessionOptions& options, Duration idle);

    /// Carries it to its end; may destroy it.
    [[nodiscard]] Task<void> run();
    /// There is room for one stream more.
    [[nodiscard]] bool takes() const noexcept;
    /// It was made as `endpoint` would have it made now.
    [[nodiscard]] bool fits(const Endpoint& endpoint) const noexcept;
    /// Takes no new streams, and ends after the last one.
    void retire() noexcept;
    [[nodiscard]] bool idle() const noexcept { return idle_; }
    [[nodiscard]] TimePoint idle_since() const noexcept { return idle_since_; }
    /// Ends it at once, while it is idle; its counts are given back before it returns.
    void close_idle() noexcept;

    // -- for those who have a seat
    /// What was submitted, resumed or given back goes out soon.
    void wake() { carrier_.wake(); }
    /// Bytes ever received.
    [[nodiscard]] std::uint64_t heard() const noexcept {
        return connection_ ? connection_->received_total() : 0;
    }
    /// It has carried a stream before.
    [[nodiscard]] bool used() const noexcept { return served_ > 1; }
    [[nodiscard]] bool over_tls() const noexcept { return over_tls_; }

  private:
    friend class SharedSeat;

    ~SharedConnection() override;
    void settings_came() noexcept override;
    void expired() noexcept override;
    [[nodiscard]] std::uint32_t most() const noexcept;
    [[nodiscard]] EventLoop& loop_of() const noexcept { return connection_->loop(); }
    void take_seat();
    void leave_seat() noexcept;
    void leave_idle() noexcept;
    void end_soon() noexcept;
    void look_at(TimePoint when);
    void look_for_life();

    UpstreamPool& pool_;
    EndpointSlot* slot_;  ///< null at the end
    UpstreamLease connection_;
    http2::Carrier carrier_;
    const Duration idle_most_;
    const bool over_tls_;
    std::uint32_t seats_ = 0;
    std::uint64_t served_ = 0;         ///< seats ever taken
    std::uint64_t pinged_served_ = 0;  ///< `served_` at the last PING
    std::uint64_t heard_ = 0;          ///< bytes received when the timer was set
    TimePoint idle_since_{}, pinged_at_{}, look_ = never;
    bool idle_ = false, retired_ = false, over_ = false;
    unsigned pings_ = 0;  ///< in the silence that lasts
    bool owes_ = false;   ///< an answer to the last of them
};

/// Movable; gives its place back when it is destroyed.
class SharedSeat {
  public:
    SharedSeat() = default;
    explicit SharedSeat(SharedConnection& connection) : connection_(&connection) {
        connection.take_seat();
    }
    /// A place among those that wait.
    explicit SharedSeat(EndpointSlot& slot, UpstreamPool& pool) : slot_(&slot), pool_(&pool) {
        ++slot.joining;
    }
    SharedSeat(SharedSeat&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)),
          slot_(std::exchange(other.slot_, nullptr)),
          pool_(other.pool_),
          wait_(std::exchange(other.wait_, nullptr)),
          failed_(other.failed_) {}
    SharedSeat& operator=(SharedSeat&& other) noexcept {
        if (this == &other) return *this;
        reset();
        connection_ = std::exchange(other.connection_, nullptr);
        slot_ = std::exchange(other.slot_, nullptr);
        pool_ = other.pool_;
        wait_ = std::exchange(other.wait_, nullptr);
        failed_ = other.failed_;
        return *this;
    }
    ~SharedSeat() { reset(); }

    explicit operator bool() const noexcept { return connection_ != nullptr || slot_ != nullptr; }
    /// A stream may be opened.
    [[nodiscard]] bool seated() const noexcept { return connection_ != nullptr; }
    SharedConnection* operator->() const noexcept { return connection_; }
    SharedConnection& operator*() const noexcept { return *connection_; }
    void reset() noexcept;

    /// While it waits: until somebody should look again, or `gate` has settled otherwise.
    [[nodiscard]] Task<void> wait(TimedGate& gate);
    /// A connection is being opened, for which it waits; else those that are there are full.
    [[nodiscard]] bool opening() const noexcept { return slot_ != nullptr && slot_->opening > 0; }
    /// Who is called off by fail(), which may have come before.
    void waits_with(CallOff* wait) noexcept {
        wait_ = wait;
        if (wait != nullptr && failed_) wait->fail(*failed_);
    }
    void fail(ErrorKind why) noexcept {
        failed_ = why;
        if (wait_ != nullptr) wait_->fail(why);
    }

  private:
    SharedConnection* connection_ = nullptr;
    EndpointSlot* slot_ = nullptr;
    UpstreamPool* pool_ = nullptr;
    CallOff* wait_ = nullptr;
    std::optional<ErrorKind> failed_;
};

/// The wait for a seat, or for what a connection can do: called off like a connect.
class SeatWait final : public CallOff {
  public:
    explicit SeatWait(EventLoop& loop) noexcept : gate(loop) {}
    void fail(ErrorKind why) noexcept override {
        if (!failure) failure = why;
        gate.shut();
    }
    TimedGate gate;
    std::optional<ErrorKind> failure;
};

}  // namespace scrollgate
