// The far end of an HTTP/2 connection: an nghttp2 server that a test plays, and raw frames for what
// no server would send. Bytes in, bytes out, no socket.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_session;

namespace scrollgate::test {

using Http2Fields = std::vector<std::pair<std::string, std::string>>;

/// A frame as it goes over the wire.
[[nodiscard]] std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::int32_t stream,
                                      std::string_view payload);
/// A field section in which nothing is compressed, indexed or checked.
[[nodiscard]] std::string http2_literal_fields(const Http2Fields& fields);

class Http2Peer {
  public:
    /// What the client said on one stream.
    struct Request {
        Http2Fields fields;
        std::string body;
        bool ended = false;
        std::int64_t reset = -1;  ///< code of its RST_STREAM

        /// The value of the first field with this name.
        [[nodiscard]] std::string operator[](std::string_view name) const;
    };
    struct Settings {
        std::uint32_t streams = 100;
        std::uint32_t window = 65'535;
        bool automatic = true;  ///< gives windows back as bytes come
    };

    explicit Http2Peer(Settings settings);
    Http2Peer() : Http2Peer(Settings{}) {}
    ~Http2Peer();
    Http2Peer(const Http2Peer&) = delete;
    Http2Peer& operator=(const Http2Peer&) = delete;

    /// Takes bytes of the client; they must be right HTTP/2.
    void take(std::string_view bytes);
    /// What this end wants to say.
    [[nodiscard]] std::string give();

    // -- what it says next
    /// A head; the message ends with it if `last`.
    void head(std::int32_t stream, const Http2Fields& fields, bool last);
    /// A final head and a body, which ends the message unless trailers follow.
    void respond(std::int32_t stream, const Http2Fields& fields, std::string body,
                 Http2Fields trailers = {});
    void reset(std::int32_t stream, std::uint32_t code);
    /// GOAWAY: streams beyond `last` were not acted upon.
    void go_away(std::int32_t last, std::uint32_t code = 0);
    void settings(std::uint32_t streams);
    void ping();
    /// Gives windows back, if they are not automatic.
    void consume(std::int32_t stream, std::size_t bytes);

    std::map<std::int32_t, Request> requests;
    std::vector<std::uint32_t> goaways;  ///< codes that the client sent

  private:
    struct Callbacks;
    struct Body {
        std::string bytes;
        std::size_t sent = 0;
        Http2Fields trailers;
    };

    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, Body> bodies_;
};

}  // namespace scrollgate::test
