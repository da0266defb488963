// The server's side of HTTP/2: requests in, responses out.
//
// A stream is opened by the peer and taken by whom open_stream() names; its owner lets go of it by
// finish(), when its response was pulled or will never be. What a peer does to cost us work is
// counted (flood_watch.hpp); too much of it ends the session with ENHANCE_YOUR_CALM. Windows are
// manual: the owner gives back what it has taken in. One worker; no locks.
#pragma once

#include <memory>
#include <string_view>

#include "core/arena.hpp"
#include "core/clock.hpp"
#include "core/http2/flood_watch.hpp"
#include "core/http2/request_reader.hpp"
#include "core/http2/session.hpp"
#include "core/message.hpp"
#include "core/result.hpp"

namespace scrollgate::http2 {

/// One request and its response, used again and again. Whoever serves it derives.
class ServerStream : public SessionStream {
  protected:
    ServerStream() = default;
    ~ServerStream() = default;

    /// The head that was begun by begin_request() is whole, or refused: then it is to be answered
    /// with that error. `protocol` of an extended CONNECT (RFC 8441), else empty.
    virtual void request_came(const Result<void>& judged, std::string_view protocol) noexcept = 0;
    /// Bytes of the body, valid in this call; to be given back by Session::consumed().
    virtual void body_came(std::string_view bytes) noexcept = 0;
    /// The request is whole; `trailers`, that may be passed on, if there were any, live as long as
    /// its head.
    virtual void request_ended(const HeaderList* trailers) noexcept = 0;
    /// The stream is gone. The last call. `done`: both messages were whole.
    virtual void stream_ended(StreamEnd end) noexcept = 0;

    /// For open_stream(): the request is read into `head`, with its text in `arena`.
    void begin_request(RequestHead& head, Arena& arena, std::size_t uri_limit) noexcept;
    /// The head ran over a bound.
    [[nodiscard]] bool head_too_large() const noexcept { return reader_.too_large(); }

  private:
    void section_began() noexcept final;
    const char* field(std::string_view name, std::string_view value) noexcept final;
    const char* section_ended(bool last) noexcept final;
    const char* section_overflows(const char* fault, std::string_view name,
                                  std::string_view value) noexcept final;
    void data(std::string_view bytes) noexcept final { body_came(bytes); }
    void message_ended() noexcept final;
    void broke_off(StreamEnd end, const boost::system::error_code& cause,
                   const char* detail) noexcept final;

    RequestReader reader_;
    Arena* arena_ = nullptr;
    HeaderList trailers_;
    bool head_read_ = false;
};

class ServerSession : public Session, private FloodWatch::Streams {
  public:
    ServerSession(const SessionOptions& options, TimePoint now);
    ~ServerSession() override;

    /// Takes what the peer has sent, its preface first, and calls streams back.
    void feed(std::string_view bytes, TimePoint now) noexcept;
    /// A field section has begun and not ended: its time should be bounded.
    [[nodiscard]] bool in_section() const noexcept { return watch_.in_section(); }
    /// What of the peer's the session ends itself for; none if it does not, or nghttp2 has said it.
    [[nodiscard]] Flood flood() const noexcept { return flood_; }

    /// Sends a 1xx head at once. False if the stream is gone.
    bool inform(ServerStream& stream, std::uint16_t status, const HeaderList& fields);
    /// Sends the final head: `fields` but those of a connection, with Content-Length if `framing`
    /// has a length. The views are copied. The body, if `with_body`, comes from fill_body().
    /// False if the stream is gone.
    [[nodiscard]] bool respond(ServerStream& stream, std::uint16_t status, const HeaderList& fields,
                               const BodyFraming& framing, bool with_body);
    /// Its owner is done with `stream`, which is called no more. A response that was not pulled to
    /// its end is broken off: `why` says whose fault it is.
    enum class Because : std::uint8_t { done, fault, cancelled, refused };
    void finish(ServerStream& stream, Because why) noexcept;

    /// Tells the peer that the session ends soon (section 6.8); what it sends is still served.
    void announce_end() noexcept;

  protected:
    /// The peer has begun a request: who takes it, with begin_request(); nullptr refuses it.
    ServerStream* open_stream() noexcept override = 0;

  private:
    void message_came(SessionStream& stream) noexcept override;
    void goaway_came(std::int32_t) noexcept override {}
    void input_broke(int error) noexcept override;
    void had_to_reset(ResetFor what) noexcept override;
    void data_went() noexcept override { watch_.earn(); }
    void abandoned_ended(std::int32_t id) noexcept override;
    [[nodiscard]] bool answered(std::int32_t id) const noexcept override {
        return was_answered(id);
    }
    void calm(Flood flood) noexcept;  // by GOAWAY

    FloodWatch watch_;
    Flood flood_ = Flood::none;
    std::unique_ptr<OutgoingFields> fields_;  ///< of the head that is being submitted
};

}  // namespace scrollgate::http2
