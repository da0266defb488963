// Connection: a Stream with its receive buffer, its write path and its deadlines.
//
// Reading is always one step ahead: arm() leaves a read pending while the owner does something
// else, so a peer's reset is seen without a system call, and the bytes of the next message are
// there when they are asked for. The buffer is leased from the loop; an idle connection gives it
// back (park()) and waits for readability only.
//
// Invariants: at most one read is pending; the bytes of received() are neither moved nor
// overwritten before they are consumed, except by an await on this connection; pinned bytes stay
// until unpin(). After fail() or a passed deadline the stream is closed and every await completes.
// The owner destroys a Connection only when nothing is pending (not busy()). One worker; no locks.
#pragma once

#include <array>
#include <coroutine>
#include <memory>
#include <optional>
#include <string_view>

#include "core/net/event_loop.hpp"
#include "core/net/stream.hpp"
#include "core/result.hpp"

namespace scrollgate {

class Connection : private IoHandler, private TimerWheel::Timer {
  public:
    Connection(EventLoop& loop, std::unique_ptr<Stream> stream) noexcept
        : loop_(loop), stream_(std::move(stream)) {}
    /// Takes over stream, deadlines' time excepted, and what was received; `before`, of which
    /// nothing is pending, is left without a stream and only to be destroyed.
    explicit Connection(Connection&& before) noexcept;
    ~Connection() override = default;

    // -- received bytes
    /// What has been received and not consumed. Valid until the next await on this connection.
    [[nodiscard]] std::string_view received() const noexcept {
        return {buffer_.data() + begin_, end_ - begin_};
    }
    void consume(std::size_t count) noexcept { begin_ += static_cast<std::uint32_t>(count); }
    /// The peer has ended its direction, or the stream broke; received() may still hold bytes.
    [[nodiscard]] bool at_end() const noexcept { return ended_; }
    /// The error that ended the stream; none for a clean FIN, or if it has not ended.
    [[nodiscard]] const boost::system::error_code& broken() const noexcept { return broken_; }

    /// Everything consumed so far stays in place until unpin(): a head with views into it.
    void pin() noexcept { pinned_ = begin_; }
    void unpin() noexcept;

    /// Makes room for a message of up to `size` bytes that starts at received(), in a larger buffer
    /// if need be. False if there is none. Nothing may be pinned and no read pending.
    [[nodiscard]] bool reserve(std::size_t size);
    /// Reads through a large buffer from the next read on, if one is free; for long bodies.
    void want_bulk(bool on) noexcept { bulk_wanted_ = on; }

    /// If no other buffer is free, a spare one does: many would suffer for want of one.
    void use_spares() noexcept { spares_ = true; }

    /// Starts a read if none is pending and there is room. input_seen() tells of its end, unless a
    /// coroutine waits in more().
    void arm();
    [[nodiscard]] bool reading() const noexcept { return reading_; }

    /// co_await connection.more(): at least one byte more than now (true); false at the end of the
    /// stream, and when no buffer was to be had (starved()).
    auto more() noexcept {
        struct Awaiter {
            Connection& self;
            std::uint64_t before;
            bool await_ready() const {
                self.arm();
                return !self.reading_;
            }
            void await_suspend(std::coroutine_handle<> h) const noexcept { self.reader_ = h; }
            bool await_resume() const noexcept { return self.received_total_ != before; }
        };
        return Awaiter{*this, received_total_};
    }
    /// A coroutine that waits in more() goes on, soon, with false; the read stays pending. So does
    /// one that waits in readable().
    void interrupt();
    [[nodiscard]] bool starved() const noexcept { return starved_; }
    /// Bytes ever received.
    [[nodiscard]] std::uint64_t received_total() const noexcept { return received_total_; }

    /// Gives the buffer back and waits for readability instead of reading. Does something only when
    /// received() is empty, nothing is pinned and a read is pending.
    void park();

    // -- splicing: bytes that nobody here needs to see
    /// A plain socket: write() takes a pipe.
    [[nodiscard]] bool splices() const noexcept { return stream_->splices(); }
    /// What comes next can be moved by splice(): nothing unconsumed is here, no read pending, no
    /// end seen.
    [[nodiscard]] bool can_splice() const noexcept {
        return begin_ == end_ && !reading_ && !ended_ && !failure_ && stream_->splices();
    }
    /// Moves up to `most` bytes that have arrived into `pipe`, which is empty; how many. 0 if none
    /// are there, or at the end (at_end()). Only while can_splice().
    [[nodiscard]] std::size_t splice(Pipe& pipe, std::size_t most) noexcept;
    /// co_await connection.readable(): something has arrived, or the end, or it was interrupted.
    /// The buffer is given back meanwhile. If a read is pending, its bytes are waited for.
    auto readable() noexcept {
        struct Awaiter {
            Connection& self;
            bool await_ready() const {
                self.await_input();
                return !self.reading_;
            }
            void await_suspend(std::coroutine_handle<> h) const noexcept {
                self.reader_ = h;
                self.input_awaited_ = true;
            }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }
    /// Bytes were spliced since the last read: what stands behind them has not been looked for.
    [[nodiscard]] bool unread_behind() const noexcept { return spliced_; }

    // -- writing
    class Write;
    /// How long a write may wait: `stall` after the last progress, `until` at the latest; the
    /// failure is called accordingly.
    struct Patience {
        Duration stall = no_limit;
        ErrorKind stalled = ErrorKind::cancelled;
        TimePoint until = never;
        ErrorKind out_of_time = ErrorKind::request_timeout;
    };
    /// co_await connection.write(patience, a, b, c): all bytes of the three parts in one gather
    /// write, then what `pipe` holds (splices()), tried inline first; IoResult with the bytes
    /// written and the error, if any. The bytes and `patience` stay valid until it has finished.
    /// One at a time.
    [[nodiscard]] Write write(const Patience& patience, std::string_view a, std::string_view b = {},
                              std::string_view c = {}, Pipe* pipe = nullptr) noexcept;

    // -- connecting
    class Connect;
    /// co_await connection.connect(peer): the error_code of connecting.
    [[nodiscard]] Connect connect(const SocketAddress& peer) noexcept;

    // -- ending
    enum class Way : std::uint8_t { read, write };
    /// fail(kind) when `when` has come; `never` for no deadline. One per way; setting replaces.
    void expire_at(Way way, TimePoint when, ErrorKind kind);
    /// Closes the stream; every await completes; failure() is `kind` (the first one stays).
    void fail(ErrorKind kind) noexcept;
    /// Closes without a failure; `reset` sends RST. What is pending completes.
    void close(bool reset = false) noexcept { stream_->close(reset); }
    void shutdown_write() noexcept { stream_->shutdown_write(); }
    /// Why this side gave it up: a passed deadline, or fail().
    [[nodiscard]] std::optional<ErrorKind> failure() const noexcept { return failure_; }
    /// Nothing more is to be read, because of `kind`; writing goes on. Who waits in more() goes on.
    void stop_reading(ErrorKind kind) {
        read_failure_ = kind;
        interrupt();
    }
    /// Forgets stop_reading().
    void read_on() noexcept { read_failure_.reset(); }
    /// Why reading ended from our side: stop_reading(), else failure().
    [[nodiscard]] std::optional<ErrorKind> read_failure() const noexcept {
        return read_failure_ ? read_failure_ : failure_;
    }
    /// Something of this connection is still pending in the loop.
    [[nodiscard]] bool busy() const noexcept { return reading_ || writing_; }

    [[nodiscard]] bool writing() const noexcept { return writing_; }
    /// Idle without a buffer, or about to be.
    [[nodiscard]] bool parked() const noexcept { return parked_ || parking_; }

    [[nodiscard]] EventLoop& loop() const noexcept { return loop_; }
    [[nodiscard]] bool is_open() const noexcept { return stream_->is_open(); }
    /// See Stream::alpn().
    [[nodiscard]] std::string_view alpn() const noexcept { return stream_->alpn(); }
    /// Nothing has arrived since the last read, as the kernel knows it.
    [[nodiscard]] bool quiet() noexcept { return stream_->quiet(); }

  protected:
    /// A read ended while nobody waited in more(): bytes came, or the end (at_end()). May destroy
    /// the connection.
    virtual void input_seen() noexcept = 0;
    /// A deadline has come. The default is fail(kind). May destroy the connection.
    virtual void deadline_passed(ErrorKind kind) noexcept { fail(kind); }

  private:
    void done(IoResult result) noexcept override;
    void expired() noexcept override;
    [[nodiscard]] bool make_room();
    void await_input();
    void switch_buffer();
    void leave_pinned();

    struct Deadline {
        TimePoint at = never;
        ErrorKind kind = ErrorKind::cancelled;
    };

    EventLoop& loop_;
    std::unique_ptr<Stream> stream_;
    BufferLease buffer_;
    BufferLease pinned_buffer_;  ///< holds the pinned bytes while reading goes elsewhere
    std::uint32_t begin_ = 0, end_ = 0;
    std::uint32_t pinned_ = 0;  ///< bytes below this index of buffer_ stay in place
    std::uint64_t received_total_ = 0;
    std::coroutine_handle<> reader_;
    boost::system::error_code broken_;
    std::array<Deadline, 2> deadlines_;
    TimePoint armed_for_ = never;
    std::optional<ErrorKind> failure_, read_failure_;
    bool reading_ = false, writing_ = false, parking_ = false, parked_ = false;
    bool ended_ = false, starved_ = false, bulk_wanted_ = false;
    bool spares_ = false;
    bool input_awaited_ = false;  ///< by reader_, which wants nothing read
    bool spliced_ = false;
};

/// See Connection::write().
class Connection::Write : private IoHandler {
  public:
    Write(Connection& self, const Patience& patience, const std::array<std::string_view, 3>& parts,
          Pipe* pipe) noexcept;
    bool await_ready() noexcept { return attempt(); }
    void await_suspend(std::coroutine_handle<> waiting);
    IoResult await_resume() const noexcept { return {written_, error_}; }

  private:
    [[nodiscard]] bool attempt() noexcept;
    [[nodiscard]] IoResult try_once() noexcept;
    void advance(std::size_t bytes) noexcept;
    void wait();
    void done(IoResult result) noexcept override;

    Connection& self_;
    std::array<iovec, 3> parts_;
    std::uint32_t first_ = 0, count_ = 0;
    Pipe* const pipe_;
    const Patience& patience_;
    std::size_t written_ = 0;
    boost::system::error_code error_;
    std::coroutine_handle<> waiting_;
};

/// See Connection::connect().
class Connection::Connect : private IoHandler {
  public:
    Connect(Connection& self, const SocketAddress& peer) noexcept : self_(self), peer_(peer) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting);
    boost::system::error_code await_resume() const noexcept { return error_; }

  private:
    void done(IoResult result) noexcept override;

    Connection& self_;
    SocketAddress peer_;
    boost::system::error_code error_;
    std::coroutine_handle<> waiting_;
};

inline Connection::Write Connection::write(const Patience& patience, std::string_view a,
                                           std::string_view b, std::string_view c,
                                           Pipe* pipe) noexcept {
    return {*this, patience, {a, b, c}, pipe};
}
inline Connection::Connect Connection::connect(const SocketAddress& peer) noexcept {
    return {*this, peer};
}

}  // namespace scrollgate
