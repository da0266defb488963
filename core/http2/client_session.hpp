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

/// One request and its response, used again and again. Whoever wants the response derives.
class ClientStream : public SessionStream {
  protected:
    ClientStream() = default;
    ~ClientStream() = default;

    /// A head, 1xx (limits::interim_responses at most) or final. It and its views are valid in this
    /// call. `body` is none, length, or chunked if the stream's end is the body's.
    virtual void head_came(const ResponseHead& head) noexcept = 0;
    /// Bytes of the body, valid in this call.
    virtual void body_came(std::string_view bytes) noexcept = 0;
    /// The response is whole; `trailers` if there were any, valid in this call. The last
    /// call. If the request's body is not through, the rest is not asked for.
    virtual void response_ended(const HeaderList* trailers) noexcept = 0;
    /// There will be no whole response. The last call. upstream_malformed; upstream_truncated if
    /// the final head had come, else upstream_reset. retry_safe: the peer has said that it did
    /// nothing, or the request never left. `cause`, if the connection has ended.
    virtual void failed(const Error& error) noexcept = 0;
    /// Writes the next bytes of the request's body. At least one, or the end; called only for
    /// requests with a body.
    BodyPart fill_body(std::span<char>) noexcept override { return {0, true}; }

  private:
    friend class ClientSession;

    /// What is being received.
    struct Incoming {
        Arena text;  ///< of the fields
        ResponseHead head;
        HeaderList trailers;
    };

    void begin(Method method, Incoming& incoming) noexcept;
    void section_began() noexcept final;
    const char* field(std::string_view name, std::string_view value) noexcept final;
    const char* section_ended(bool last) noexcept final;
    void data(std::string_view bytes) noexcept final { body_came(bytes); }
    void message_ended() noexcept final;
    void broke_off(StreamEnd end, const boost::system::error_code& cause,
                   const char* detail) noexcept final;

    Incoming* incoming_ = nullptr;  ///< the session's
    Method method_ = Method::get;
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

  private:
    void message_came(SessionStream& stream) noexcept override;
    void goaway_came(std::int32_t last) noexcept override;
    void input_broke(int error) noexcept override;

    /// One for all streams, because their sections never mix: it stays warm.
    ClientStream::Incoming incoming_;
    std::unique_ptr<OutgoingFields> fields_;  ///< of the request that is being submitted
};

}  // namespace scrollgate::http2
