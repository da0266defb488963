// Session: one side of an HTTP/2 connection (RFC 9113). Bytes in by feed(), which calls the streams
// back; bytes out by pull().
//
// nghttp2 does frames, HPACK, stream states and windows, and refuses messages that break section 8;
// nobody outside core/http2 sees it (decision 11). There is no socket here: link.hpp carries a
// session over a Connection, a test carries it by hand.
//
// Invariants: a stream that was opened hears exactly one last call, unless it is reset from this
// side; no call comes from inside a function that a stream's owner called, but for lost(). Bounded:
// streams, field sections and the frames they come in, and thereby what waits to be sent: at most a
// request, a reset and a window update per stream, and 1,000 answers to the peer's SETTINGS and
// PING; one more ends the session. One worker; no locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <boost/system/error_code.hpp>

#include "core/header_list.hpp"
#include "core/http2/flood_watch.hpp"
#include "core/limits.hpp"

struct nghttp2_session;

namespace scrollgate::http2 {

class OutgoingFields;
class Session;

struct SessionOptions {
    /// Who gives the peer's windows back what was received: the library as bytes come in, or the
    /// owner, by consumed().
    enum class Windows : std::uint8_t { automatic, manual };

    std::uint32_t header_bytes = limits::header_bytes;  ///< of a section, as section 6.5.2 counts
    std::uint32_t fields = limits::headers;             ///< in a section
    std::uint32_t streams = limits::http2_streams;      ///< open at a time
    std::uint32_t stream_window = limits::http2_stream_window;
    std::uint32_t connection_window = limits::http2_connection_window;
    Windows windows = Windows::automatic;
};

/// Why a stream ended before its message was whole.
enum class StreamEnd : std::uint8_t {
    done,       ///< not before: both messages are whole (server's streams only)
    refused,    ///< the peer has not acted upon it: REFUSED_STREAM, or beyond its GOAWAY (8.7)
    reset,      ///< RST_STREAM with another code
    malformed,  ///< the peer broke the protocol, or a bound
    lost,       ///< the connection ended
};

/// Next bytes of a body that is sent. None, and no end: there will be some after resume().
struct BodyPart {
    std::size_t bytes = 0;
    bool end = false;
    const HeaderList* trailers = nullptr;  ///< with `end`: they end the message; valid in the call
};

/// What a Session calls. Derived once per role: ClientStream turns fields into a response head,
/// ServerStream into that of a request. Pinned in memory while it is open.
class SessionStream {
  public:
    SessionStream(const SessionStream&) = delete;
    SessionStream& operator=(const SessionStream&) = delete;
    /// In a session that calls it.
    [[nodiscard]] bool open() const noexcept { return session_ != nullptr; }

  protected:
    SessionStream() = default;
    ~SessionStream();

  private:
    friend class Session;

    /// A field section begins: a head or trailers.
    virtual void section_began() noexcept = 0;
    /// Its next field. The views are valid in this call only. Returns what is wrong with it, as
    /// static text, or nullptr.
    virtual const char* field(std::string_view name, std::string_view value) noexcept = 0;
    /// The section is whole; `last` if the message ends with it. Returns what is wrong, likewise.
    virtual const char* section_ended(bool last) noexcept = 0;
    /// Bytes of the body.
    virtual void data(std::string_view bytes) noexcept = 0;
    /// The message is whole. The last call to a client's stream.
    virtual void message_ended() noexcept = 0;
    /// It will not become whole. The last call. `cause` for StreamEnd::lost; `detail` static text.
    virtual void broke_off(StreamEnd end, const boost::system::error_code& cause,
                           const char* detail) noexcept = 0;
    /// Writes the next bytes of our message's body.
    virtual BodyPart fill_body(std::span<char> into) noexcept = 0;
    /// The section has run over a bound, with this field or one before. Returns what is wrong, or
    /// nullptr if the stream wants to answer that by itself.
    virtual const char* section_overflows(const char* fault, std::string_view,
                                          std::string_view) noexcept {
        return fault;
    }

    Session* session_ = nullptr;
    std::int32_t id_ = 0;
    std::uint32_t index_ = 0;  ///< in the session's list
    bool sent_ = false;        ///< its first frame was pulled
    bool answered_ = false;    ///< and a final head of ours
    bool given_ = false;       ///< our message was pulled to its end
};

class Session {
  public:
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    /// No stream is open: see lost().
    virtual ~Session();

    /// Takes what the peer has sent, and calls streams back. Not from inside a call.
    void feed(std::string_view bytes) noexcept;
    /// Writes bytes for the peer into `into`, as many as there are and fit; 0 if there are none.
    /// May call streams back. Not from inside a call.
    [[nodiscard]] std::size_t pull(std::span<char> into) noexcept;
    /// The last pull() left bodies for the next one: what stands before them by the peer's
    /// priorities (RFC 9218) had no more to give, and may have soon. Let its owner run before.
    [[nodiscard]] bool held_back() const noexcept { return held_back_; }
    /// Nothing will be fed or pulled any more: the connection can be closed.
    [[nodiscard]] bool over() const noexcept;
    /// The connection has ended: every open stream breaks off. `cause` is boost::asio::error::eof
    /// for the peer's orderly end.
    void lost(const boost::system::error_code& cause) noexcept;

    /// The peer's SETTINGS have come; until then its limits are not known.
    [[nodiscard]] bool settled() const noexcept { return settled_; }
    /// GOAWAY came, or the session broke: no new streams; those it counts go on.
    [[nodiscard]] bool going_away() const noexcept { return going_away_ || broken_; }
    /// What the peer did that broke the session, as static text; nullptr if it did nothing.
    [[nodiscard]] const char* fault() const noexcept { return fault_; }
    /// How many streams the peer allows at a time (100 until it has said so). More wait for their
    /// turn within the session.
    [[nodiscard]] std::uint32_t peer_streams() const noexcept;
    [[nodiscard]] std::size_t open_streams() const noexcept { return streams_.size(); }
    /// The peer has announced that it takes extended CONNECT (RFC 8441 section 3).
    [[nodiscard]] bool peer_takes_connect() const noexcept;
    /// Asks the peer for a sign of life (section 6.7), which is the next bytes that come.
    void ping() noexcept;
    /// Takes no more streams (GOAWAY); over() when those that are open have ended.
    void end() noexcept;

    /// Breaks `stream` off (RST_STREAM, CANCEL). It is called no more.
    void reset(SessionStream& stream) noexcept;
    /// fill_body() of `stream`, which had nothing to give, will give something now.
    void resume(SessionStream& stream) noexcept;
    /// Manual windows: the peer may send as many bytes more on `stream` and the connection.
    void consumed(SessionStream& stream, std::size_t bytes) noexcept;
    /// The same for a stream that is gone, or by itself: only the connection's window.
    void consumed(std::size_t bytes) noexcept;
    /// The stream's window by itself.
    void consumed_of_stream(SessionStream& stream, std::size_t bytes) noexcept;

  protected:
    enum class Role : std::uint8_t { client, server };

    /// Throws std::bad_alloc.
    Session(const SessionOptions& options, Role role);

    /// SETTINGS of the peer have come, the first or further ones.
    virtual void settings_came() noexcept {}
    /// Our message on a stream that nobody owns any more was pulled to its end.
    virtual void abandoned_ended(std::int32_t) noexcept {}

    [[nodiscard]] bool room() const noexcept {
        return !going_away() && streams_.size() < options_.streams;
    }
    /// Opens a stream with these fields and, `with_body`, what fill_body() gives. False if there is
    /// no number or no memory left for it.
    [[nodiscard]] bool send_request(SessionStream& stream, const OutgoingFields& fields,
                                    bool with_body);

    /// The answer to a stream that the peer opened, likewise. False if the stream is gone.
    [[nodiscard]] bool send_response(SessionStream& stream, const OutgoingFields& fields,
                                     bool with_body);

    // -- what only one role does otherwise
    /// The peer begins a message of its own. The stream that takes it, or nullptr: refused.
    virtual SessionStream* open_stream() noexcept { return nullptr; }
    /// `stream` has got its message to the end.
    virtual void message_came(SessionStream& stream) noexcept = 0;
    /// The peer will not act upon streams beyond `last`.
    virtual void goaway_came(std::int32_t last) noexcept = 0;
    /// The input cannot be taken any further, because of `error` of nghttp2 or fault().
    virtual void input_broke(int error) noexcept = 0;
    /// We have reset a stream of the peer's.
    virtual void had_to_reset(ResetFor /*what*/) noexcept {}
    /// A DATA frame has gone out.
    virtual void data_went() noexcept {}

    void attach(SessionStream& stream, std::int32_t id);
    void detach(SessionStream& stream) noexcept;
    void refuse_beyond(std::int32_t last) noexcept;
    /// The session breaks; every open stream, too, as malformed.
    void break_down(const char* fault) noexcept;
    /// RST_STREAM; the stream stays attached.
    void submit_reset(SessionStream& stream, std::uint32_t code) noexcept;
    [[nodiscard]] bool peer_ended(const SessionStream& stream) const noexcept;
    [[nodiscard]] bool we_ended(const SessionStream& stream) const noexcept;
    /// `id` was opened, and its final head has gone out, or it is over.
    [[nodiscard]] bool was_answered(std::int32_t id) const noexcept;
    [[nodiscard]] static std::int32_t number(const SessionStream& s) noexcept { return s.id_; }
    [[nodiscard]] static bool given(const SessionStream& s) noexcept { return s.given_; }
    static void give_all(SessionStream& s) noexcept { s.given_ = true; }
    static void end_message(SessionStream& s) noexcept { s.message_ended(); }
    [[nodiscard]] nghttp2_session* handle() const noexcept { return handle_; }

    bool going_away_ = false, broken_ = false;

  private:
    struct Callbacks;
    /// The field section that is being received; sections of two streams never mix.
    struct Section {
        SessionStream* stream = nullptr;  ///< null: nobody wants it
        std::uint32_t bytes = 0, fields = 0;
    };

    void announce();
    [[nodiscard]] SessionStream* stream(std::int32_t id) const noexcept;
    void break_off(SessionStream& stream, StreamEnd end, const char* detail) noexcept;
    void break_all(StreamEnd end, const boost::system::error_code& cause,
                   const char* detail) noexcept;
    void refuse_message(SessionStream& stream, const char* detail, std::uint32_t code) noexcept;
    /// The field section runs on far beyond its bounds: nobody reads it any further.
    void drop_section(std::int32_t id) noexcept;
    void section_came(std::int32_t id, bool last) noexcept;
    void message_came(std::int32_t id) noexcept;
    [[nodiscard]] bool submit_trailers(std::int32_t id, const HeaderList& trailers) noexcept;

    const SessionOptions options_;
    const Role role_;
    nghttp2_session* handle_ = nullptr;
    std::vector<SessionStream*> streams_;
    Section section_;
    std::string_view unsent_;  ///< of the frame that was pulled last, in nghttp2's memory
    const char* fault_ = nullptr;
    unsigned continuations_ = 0;  ///< of the section that is being received
    std::span<char> room_;        ///< what pull() has to fill
    bool settled_ = false;
    bool inside_ = false;       ///< feed() or pull() is running
    bool prioritised_ = false;  ///< the peer has said what is urgent
    bool ran_dry_ = false;      ///< in this pull() a body had less to give than there was room for
    bool held_back_ = false;
};

}  // namespace scrollgate::http2
