// Http2Outlet: bytes of a message's body on their way into the frames of its stream.
//
// A write has finished when its bytes were taken for the connection: the windows of stream and
// connection and the socket set the pace together. One worker; no locks.
#pragma once

#include <optional>

#include "core/http2/session.hpp"
#include "core/net/event_loop.hpp"
#include "core/result.hpp"
#include "proxy/pipeline/ends.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {

class Http2Outlet {
  public:
    explicit Http2Outlet(EventLoop& loop) noexcept : loop_(loop), gate_(loop) {}

    /// A body begins. A peer that takes no byte for `stall` is `stalled`.
    void start(Duration stall, ErrorKind stalled) noexcept;
    void reset() noexcept;
    /// From the next write on: most time without a byte taken, and the hard end.
    void bound(Duration stall, TimePoint until) noexcept;

    // -- by the stream
    /// Writes what fits and is there.
    [[nodiscard]] http2::BodyPart fill(std::span<char> into) noexcept;
    /// Nothing more will be taken.
    void failed(const Error& why) noexcept;
    /// The end of the body was taken, although a writer may not have been told yet.
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

    // -- by the sink
    /// What fill() gives from now on; its bytes stay valid until taken() has finished.
    void put(const BodyChunk& chunk) noexcept {
        chunk_ = chunk;
        put_ = chunk.data.size();
        all_taken_ = false;
    }
    /// After taken() has failed: bytes of what was put that fill() had taken.
    [[nodiscard]] std::size_t part_taken() const noexcept { return put_ - chunk_.data.size(); }
    /// Waits for fill() to have taken it all.
    [[nodiscard]] Task<Result<void>> taken();

  private:
    EventLoop& loop_;
    TimedGate gate_;       ///< where taken() waits
    BodyChunk chunk_;      ///< what is being written; its data shrinks from the front
    std::size_t put_ = 0;  ///< its size at first; 0 when it was taken
    std::uint64_t given_ = 0;
    bool all_taken_ = false;  ///< of `chunk_`
    bool ended_ = false;
    Duration stall_ = no_limit;
    TimePoint until_ = never;
    ErrorKind stalled_ = ErrorKind::cancelled;
    std::optional<Error> failure_;
};

}  // namespace scrollgate
