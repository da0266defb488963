// The client's side of HTTP/2: requests out, responses in.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "core/http2/session.hpp"
#include "core/message.hpp"
#include "core/result.hpp"

namespace scrollgate::http2 {

/// A request, but for its body's bytes. Views.
struct Request {
    Method method = Method::get;  ///< what the response's framing depends on
    std::string_view method_text, scheme, authority, target;
    std::string_view protocol{};  ///< of an extended CONNECT (RFC 8441), else empty
    const HeaderList& fields;     ///< Host and those of a connection (section 8.2.2) stay here
    BodyFraming body{};
    bool trailers = false;  ///< we pass trailers on, and say so (TE)
};

/// What is being received on a stream. An owner that brings one of its own finds the head and its
/// text valid until the next head on the stream, those of a final head and trailers until the next
/// request.
struct Incoming {
    Arena text;  ///< of the fields
    ResponseHead head;
    HeaderList trailers;
};

/// One request and its response, used again and again. Whoever wants the response derives.
class ClientStream : public SessionStream {
  protected:
    ClientStream() = default;
    ~ClientStream() = default;

    /// A head, 1xx (limits::interim_responses at most) or final. It and its views are valid in this
    /// call, and as Incoming says. `body` is none, length, or chunked if the stream's end is the
    /// body's.
    virtual void head_came(const ResponseHead& head) noexcept = 0;
    /// Bytes of the body, valid in this call.
    virtual void body_came(std::string_view bytes) noexcept = 0;
    /// The response is whole; `trailers`, that may be passed on, if there were any, valid in this
    /// call and as Incoming says. The last call. If the request's body is not through, the rest is
    /// not asked for.
    virtual void response_ended(const HeaderList* trailers) noexcept = 0;
    /// There will be no whole response. The last call. upstream_malformed; upstream_refused if the
    /// peer has said that it did nothing; upstream_truncated if the final head had come, else
    /// upstream_reset. retry_safe: the peer did nothing, or the request never left. `cause`, if the
    /// connection has ended.
    virtual void failed(const Error& error) noexcept = 0;
    /// Both directions of a tunnel (extended CONNECT) have ended: the last call. Before it
    /// response_ended() was not the last one, if our direction was still open.
    virtual void tunnel_closed() noexcept {}
    /// Writes the next bytes of the request's body. At least one, or the end; called only for
    /// requests with a body.
    BodyPart fill_body(std::span<char>) noexcept override { return {0, true}; }

  private:
    friend class ClientSession;

    void begin(const Request& request, Incoming& incoming, bool own) noexcept;
    void section_began() noexcept final;
    const char* field(std::string_view name, std::string_view value) noexcept final;
    const char* section_ended(bool last) noexcept final;
    [[nodiscard]] bool may_trail(const HeaderField& field) const noexcept;
    void data(std::string_view bytes) noexcept final { body_came(bytes); }
    void message_ended() noexcept final;
    void broke_off(StreamEnd end, const boost::system::error_code& cause,
                   const char* detail) noexcept final;

    Incoming* incoming_ = nullptr;  ///< the session's, or the owner's
    Method method_ = Method::get;
    bool grpc_ = false;         ///< the response is one to a gRPC call
    bool tunnel_ = false;       ///< an extended CONNECT
    bool half_ = false;         ///< … that the peer has half-closed
    bool own_ = false;          ///< incoming_ is the owner's
    bool final_ = false;        ///< the final head has come
    bool trailers_ = false;     ///< … and trailers
    std::uint8_t interim_ = 0;  ///< 1xx heads so far
};

class ClientSession : public Session {
  public:
    explicit ClientSession(const SessionOptions& options);
    ~ClientSession() override;

    /// Sends a request: method, scheme, authority and target of `head`, its fields but Host and
    /// those of a connection (section 8.2.2), and Content-Length if `body` has a length. The views
    /// are copied. The body, if `body.has_body()`, comes from the stream. False, and nothing
    /// happens, if no stream can be opened here: going_away(), or as many as options say are open.
    [[nodiscard]] bool submit(ClientStream& stream, const RequestHead& head);
    /// The same. The response is received into `own`, if it is not null, which outlives the stream.
    [[nodiscard]] bool submit(ClientStream& stream, const Request& request, Incoming* own);
    /// The peer's GOAWAY says that it has acted upon streams: the connection has done its part.
    [[nodiscard]] bool spent() const noexcept { return spent_; }

  private:
    void message_came(SessionStream& stream) noexcept override;
    void goaway_came(std::int32_t last) noexcept override;
    void input_broke(int error) noexcept override;

    /// One for all streams, because their sections never mix: it stays warm.
    Incoming incoming_;
    std::unique_ptr<OutgoingFields> fields_;  ///< of the request that is being submitted
    bool spent_ = false;
};

}  // namespace scrollgate::http2
