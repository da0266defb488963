// An HTTP/1 message as a BodySink: a head that was serialised before, then the body in the framing
// that the head announced. Requests to origins and responses to clients alike.
//
// Head, chunk framing and data leave in one gather write.
#pragma once

#include <string>

#include "core/net/connection.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class Http1MessageSink final : public BodySink {
  public:
    struct Rules {
        Connection::Patience patience;            ///< the peer takes no byte
        ErrorKind broken = ErrorKind::cancelled;  ///< the peer is gone
        bool fin_at_end = false;                  ///< tunnels: the end is a half-close
    };

    /// A message to `connection`. `head()` is to be filled before the first write() or flush().
    void start(Connection& connection, const Rules& rules) noexcept;
    /// Where the head is serialised; what is in it goes out first.
    [[nodiscard]] std::string& head() noexcept { return head_; }
    [[nodiscard]] bool head_pending() const noexcept { return !head_.empty(); }
    /// How body() is framed from now on.
    void frame(const BodyFraming& framing) noexcept {
        framing_ = framing;
        left_ = framing.length;
    }

    Task<Result<void>> write(const BodyChunk& chunk) override;
    Task<Result<void>> flush() override;
    [[nodiscard]] std::size_t part_written() const noexcept override { return part_; }
    /// A body that goes out as it is, over plain TCP.
    [[nodiscard]] bool can_pipe() const noexcept override {
        return (framing_.kind == BodyFraming::Kind::length ||
                framing_.kind == BodyFraming::Kind::until_close) &&
               connection_->splices();
    }

    /// The body's end is a half-close: for tunnels.
    void end_with_fin() noexcept { rules_.fin_at_end = true; }
    /// Most time in which the peer takes no byte, and the hard end.
    void bound(Duration stall, TimePoint until) noexcept {
        rules_.patience.stall = stall;
        rules_.patience.until = until;
    }
    /// The message went out to its last byte.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// Bytes handed to the kernel, heads and framing included.
    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

  private:
    [[nodiscard]] Task<Result<void>> send(std::string_view data, std::string_view behind,
                                          Pipe* pipe = nullptr);

    Connection* connection_ = nullptr;
    Rules rules_;
    std::string head_;
    std::string behind_;  ///< end of a chunk, last chunk and trailers
    BodyFraming framing_;
    std::uint64_t left_ = 0;
    std::uint64_t sent_ = 0;
    std::size_t part_ = 0;  ///< of the chunk whose write failed
    bool complete_ = false;
};

}  // namespace scrollgate
