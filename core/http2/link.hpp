// Link: carries a Session over a Connection, both ways at once.
//
// Bytes go out when a coroutine of the link's own finds some: behind every read at once, so that
// answers to one read share a write; and a step of the loop after wake(), so that what is submitted
// in one turn does. One worker; no locks.
#pragma once

#include "core/http2/session.hpp"
#include "core/net/connection.hpp"
#include "core/task.hpp"

namespace scrollgate::http2 {

class Link final : public Connection {
  public:
    /// `session` outlives the link.
    Link(EventLoop& loop, std::unique_ptr<Stream> stream, Session& session) noexcept
        : Connection(loop, std::move(stream)), session_(session) {}

    /// Carries until the session is over, the stream ends or fails, or close(); then closes, tells
    /// the session that it is lost, and is not busy any more. At most once; connected.
    [[nodiscard]] Task<void> carry();
    /// The session may have bytes to send: they go out soon. Any time.
    void wake();
    /// Bytes that were handed to the kernel.
    [[nodiscard]] std::uint64_t sent_total() const noexcept { return sent_total_; }

  private:
    /// co_await of the writer: until flush() or wake().
    struct Idle {
        Link& link;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const noexcept { link.writer_ = h; }
        void await_resume() const noexcept {}
    };

    void input_seen() noexcept override {}
    Task<void> write_all();
    void flush();

    Session& session_;
    std::coroutine_handle<> writer_;  ///< while it has nothing to send
    std::uint64_t sent_total_ = 0;
    bool carrying_ = false;
};

}  // namespace scrollgate::http2
