// A body that comes over HTTP/2 as a BodySource: requests of clients and responses of origins
// alike.
//
// What comes is kept in buffers of the worker's until it is pulled; only then the peer may send as
// much again, so that whoever takes it slowly stops that stream and nothing else (RFC 9113
// section 5.2).
#pragma once

#include <optional>

#include "core/buffer_queue.hpp"
#include "core/http2/session.hpp"
#include "core/limits.hpp"
#include "core/net/event_loop.hpp"
#include "core/result.hpp"
#include "proxy/http2/line.hpp"
#include "proxy/pipeline/ends.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {

class Http2BodySource final : public BodySource {
  public:
    explicit Http2BodySource(EventLoop& loop) noexcept : loop_(loop), gate_(loop) {}

    struct Rules {
        Duration stall = no_limit;  ///< without a byte
        TimePoint until = never;    ///< hard end
        ErrorKind stalled = ErrorKind::body_timeout;
        std::uint64_t most = limits::unlimited;  ///< content bytes
        bool all_that_came = false;              ///< also if the stream breaks off behind it
    };
    /// A body of `stream`. Nothing has come.
    void start(Http2Line& line, http2::SessionStream& stream, const Rules& rules) noexcept;
    /// There is no body after all; what comes may be a tunnel's.
    void start_without() noexcept { ended_ = true; }
    /// From now on the stream's bytes are those of a tunnel.
    void open_tunnel() noexcept;
    /// Lets go of what nobody has pulled.
    void reset() noexcept;

    // -- by the stream
    void came(std::string_view bytes);
    void finished(const HeaderList* trailers) noexcept;
    void failed(const Error& why) noexcept;

    Task<Result<BodyChunk>> pull() override;
    [[nodiscard]] bool ready() const noexcept override {
        return ended_ || failure_ || finished_ || !waiting_.empty();
    }
    [[nodiscard]] bool ended() const noexcept override { return ended_; }
    void bound(Duration stall, TimePoint until) noexcept override;
    void interrupt() noexcept override;
    void resume() noexcept override { interrupted_ = false; }

    /// The request has come to its end.
    [[nodiscard]] bool complete() const noexcept { return finished_; }

  private:
    using Taken = std::optional<Result<BodyChunk>>;

    [[nodiscard]] Taken take();
    Task<Result<BodyChunk>> wait_and_take();
    void give_back(std::size_t bytes) noexcept;

    EventLoop& loop_;
    TimedGate gate_;  ///< where a pull() waits
    Http2Line* line_ = nullptr;
    http2::SessionStream* stream_ = nullptr;
    Rules rules_;
    BufferQueue waiting_;
    std::size_t lent_ = 0;  ///< bytes at the front that the last pull() gave
    std::uint64_t bytes_ = 0;
    const HeaderList* trailers_ = nullptr;
    std::optional<Error> failure_;
    bool finished_ = false, ended_ = false, interrupted_ = false;
};

}  // namespace scrollgate
