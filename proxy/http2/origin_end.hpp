// The origin's end of an attempt over HTTP/2: a stream on a connection that others use, too.
//
// Heads, body and end come as the connection is read, and wait here until they are asked for. The
// seat is given back as soon as the stream has ended, though a slow client may still take what
// came. RFC 8441: an upgrade to WebSocket goes as an extended CONNECT, and comes back as the 101
// that the pipeline knows.
#pragma once

#include <optional>
#include <vector>

#include "core/http2/client_session.hpp"
#include "proxy/http2/body_source.hpp"
#include "proxy/http2/line.hpp"
#include "proxy/http2/outlet.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/pipeline/origin_end.hpp"
#include "proxy/upstream/shared_connection.hpp"

namespace scrollgate {

class Http2OriginEnd final : public OriginEnd, private http2::ClientStream, private Http2Line {
  public:
    explicit Http2OriginEnd(Worker& worker);

    /// For an attempt of `x` on the connection of `seat`.
    void begin(Exchange& x, SharedSeat seat) noexcept;
    /// For Recycled; nothing is held any more. Keeps capacity.
    void reset() noexcept;

    void fail(ErrorKind why) noexcept override;
    Task<Result<void>> send(std::string_view host, bool flush) override;
    BodySink& request() noexcept override { return sink_; }
    bool untouched() const noexcept override { return untouched_; }
    void expect_by(TimePoint when, ErrorKind late) override;
    Task<Result<void>> next_head(ResponseHead& head) override;
    BodySource& response(const ResponseHead&) override { return source_; }
    Tunnel open_tunnel(Duration idle) override;
    bool died_unused(const Error& error) const noexcept override;
    bool spent() const noexcept override { return spent_; }
    void finish(bool whole) noexcept override;

  private:
    class RequestSink final : public BodySink {
      public:
        explicit RequestSink(Http2OriginEnd& of) noexcept : end_(of) {}
        Task<Result<void>> write(const BodyChunk& chunk) override { return end_.write(chunk); }
        Task<Result<void>> flush() override { return end_.flushed(); }

      private:
        Http2OriginEnd& end_;
    };

    [[nodiscard]] Result<void> submit(std::string_view host, std::string_view protocol);
    [[nodiscard]] Task<Result<void>> connect(std::string_view host);
    [[nodiscard]] Task<Result<void>> write(const BodyChunk& chunk);
    [[nodiscard]] Task<Result<void>> flushed() const;
    void make_switch(ResponseHead& head) const;

    // the stream
    void head_came(const ResponseHead& head) noexcept override;
    void body_came(std::string_view bytes) noexcept override;
    void response_ended(const HeaderList* trailers) noexcept override;
    void failed(const Error& error) noexcept override;
    void tunnel_closed() noexcept override { seat_.reset(); }
    http2::BodyPart fill_body(std::span<char> into) noexcept override { return out_.fill(into); }
    void consumed(http2::SessionStream& stream, std::size_t bytes) noexcept override;
    void more_to_send(http2::SessionStream& stream) noexcept override;

    Worker& worker_;
    Exchange* x_ = nullptr;
    SharedSeat seat_;
    http2::Incoming incoming_;
    std::vector<ResponseHead> interims_;  ///< that nobody has asked for, their text in the arena
    Http2BodySource source_;
    Http2Outlet out_;
    RequestSink sink_{*this};
    TimedGate gate_;     ///< where next_head() waits
    SeatWait settling_;  ///< where an extended CONNECT waits for the peer's SETTINGS
    TimePoint expected_ = never;
    ErrorKind late_ = ErrorKind::upstream_timeout;
    std::optional<Error> failure_;
    std::uint64_t heard_before_ = 0;  ///< bytes the connection had received before
    bool called_off_ = false;
    bool head_here_ = false;  ///< the final one, in incoming_
    bool untouched_ = true;   ///< no request has left
    bool unheard_ = false;    ///< the connection ended without a byte since the request
    bool spent_ = false;
    bool tunnel_ = false;
};

}  // namespace scrollgate
