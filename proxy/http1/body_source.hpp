// An HTTP/1 message body as a BodySource: requests from clients and responses from origins alike.
//
// Bodies with a length, and those that end with the connection, bypass every parser; chunked ones
// go through ChunkDecoder. Long ones of the first two kinds can be had in a pipe. Bytes beyond the
// body stay in the Connection.
#pragma once

#include <optional>

#include "core/http1/chunk_decoder.hpp"
#include "core/limits.hpp"
#include "core/net/connection.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class Http1BodySource final : public BodySource {
  public:
    /// What each way of going wrong is called, and the bounds.
    struct Rules {
        Duration stall = no_limit;  ///< without a byte
        TimePoint until = never;    ///< hard end
        ErrorKind stalled = ErrorKind::cancelled;
        ErrorKind out_of_time = ErrorKind::request_timeout;
        ErrorKind cut_short = ErrorKind::cancelled;  ///< ended before its end
        ErrorKind malformed = ErrorKind::cancelled;
        ErrorKind too_large = ErrorKind::body_too_large;
        std::uint64_t most = limits::unlimited;  ///< content bytes
    };

    /// A body of `framing` that starts at connection.received().
    void start(Connection& connection, const BodyFraming& framing, const Rules& rules);

    Task<Result<BodyChunk>> pull() override;
    bool can_pipe() const noexcept override { return long_ && connection_->can_splice(); }
    Task<Result<BodyChunk>> pull_piped(PipeLease& pipe) override;
    bool ready() const noexcept override;
    bool ended() const noexcept override { return ended_; }
    void interrupt() noexcept override;
    void resume() noexcept override { interrupted_ = false; }
    void bound(Duration stall, TimePoint until) noexcept override {
        rules_.stall = stall;
        rules_.until = until;
    }

    /// Content bytes pulled so far.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  private:
    using Taken = std::optional<Result<BodyChunk>>;

    [[nodiscard]] Taken take();
    [[nodiscard]] Taken take_length();
    [[nodiscard]] Taken take_chunked();
    [[nodiscard]] Taken take_until_close();
    [[nodiscard]] std::optional<Error> stopped() const noexcept;
    void set_deadline();
    Task<Result<BodyChunk>> wait_and_take();
    [[nodiscard]] BodyChunk piped(Pipe& pipe) noexcept;
    [[nodiscard]] BodyChunk finish(std::string_view data, bool end);

    Connection* connection_ = nullptr;
    BodyFraming framing_;
    Rules rules_;
    std::uint64_t bytes_ = 0;
    http1::ChunkDecoder chunks_;
    std::string_view carried_;  ///< a chunk's data for the next pull
    bool ended_ = false;
    bool interrupted_ = false;
    bool long_ = false;  ///< much more will come, and needs no parser
};

}  // namespace scrollgate
