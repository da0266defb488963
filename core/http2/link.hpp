// Carrier: carries a Session over a Connection, both ways at once. Link: a Connection that has one.
//
// Bytes go out when a coroutine of the carrier's own finds some: behind every read at once, so that
// answers to one read share a write; and a step of the loop after wake(), so that what is submitted
// in one turn does. One worker; no locks.
#pragma once

#include "core/http2/session.hpp"
#include "core/net/connection.hpp"
#include "core/task.hpp"

namespace scrollgate::http2 {

class Carrier {
  public:
    /// Both outlive it. Nobody else reads from `connection` or writes to it meanwhile.
    Carrier(Connection& connection, Session& session) noexcept
        : connection_(connection), session_(session) {}

    /// Carries until the session is over, the stream ends or fails, or the connection is closed;
    /// then closes it, and tells the session that it is lost. At most once; connected.
    [[nodiscard]] Task<void> carry();
    /// The session may have bytes to send: they go out soon. Any time.
    void wake();
    /// Bytes that were handed to the kernel.
    [[nodiscard]] std::uint64_t sent_total() const noexcept { return sent_total_; }

  private:
    /// co_await of the writer: until flush() or wake().
    struct Idle {
        Carrier& carrier;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const noexcept { carrier.writer_ = h; }
        void await_resume() const noexcept {}
    };

    Task<void> write_all();
    void flush();

    Connection& connection_;
    Session& session_;
    std::coroutine_handle<> writer_;  ///< while it has nothing to send
    std::uint64_t sent_total_ = 0;
    bool carrying_ = false;
    bool bulk_ = false;  ///< the last write was too large for a small buffer
};

class Link final : public Connection {
  public:
    /// `session` outlives the link.
    Link(EventLoop& loop, std::unique_ptr<Stream> stream, Session& session) noexcept
        : Connection(loop, std::move(stream)), carrier_(*this, session) {}

    /// See Carrier. Not busy any more afterwards.
    [[nodiscard]] Task<void> carry() { return carrier_.carry(); }
    void wake() { carrier_.wake(); }
    [[nodiscard]] std::uint64_t sent_total() const noexcept { return carrier_.sent_total(); }

  private:
    void input_seen() noexcept override {}

    Carrier carrier_;
};

}  // namespace scrollgate::http2
