// Http2Session: one client connection over HTTP/2 (RFC 9113), from its preface to its end.
//
// Each stream is an Http2Exchange that runs beside the others; a reader feeds the codec, a writer
// pulls from it. What is read in one go is answered, as far as it can be, in one write; what many
// streams have to say in one turn of the loop leaves together. Owns itself: destroyed when nothing
// of it is pending and no exchange runs. An idle session holds no buffer. One worker; no locks.
#pragma once

#include <vector>

#include <boost/intrusive/list.hpp>

#include "core/http2/server_session.hpp"
#include "core/net/connection.hpp"
#include "core/task.hpp"
#include "proxy/http2/exchange.hpp"
#include "proxy/http2/life_watch.hpp"
#include "proxy/http2/line.hpp"
#include "proxy/server/session.hpp"

namespace scrollgate {

class Http2Session final : private Connection, public Session, public Http2Line {
  public:
    /// Serves `stream` until it ends.
    static void start(Worker& worker, std::unique_ptr<Stream> stream, Client client);
    /// Goes on in the place of `before`, whose `connection` has brought HTTP/2's preface.
    static void take_over(Session&& before, Connection&& connection);

    void say_close() noexcept override;
    void drain() override;
    void abandon() override;

    // -- for its exchanges
    /// `one` has a head, or has lost its stream before: it is to be served soon.
    void came(Http2Exchange& one) { waiting_.push_back(&one); }
    /// So many bytes of a body have come: the connection may bring as many more.
    void took_in(std::size_t bytes) noexcept { codec_.http2::Session::consumed(bytes); }
    void consumed(http2::SessionStream& stream, std::size_t bytes) noexcept override;
    void inform(http2::ServerStream& stream, std::uint16_t status, const HeaderList& fields);
    [[nodiscard]] bool respond(http2::ServerStream& stream, std::uint16_t status,
                               const HeaderList& fields, const BodyFraming& framing,
                               bool with_body);
    void more_to_send(http2::SessionStream& stream) noexcept override;

  private:
    struct Codec final : http2::ServerSession {
        explicit Codec(Http2Session& of);
        http2::ServerStream* open_stream() noexcept override { return session.open(); }
        Http2Session& session;
    };
    /// co_await of the writer: until wake().
    struct Idle {
        Http2Session& session;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const noexcept { session.writer_ = h; }
        void await_resume() const noexcept {}
    };

    Http2Session(Worker& worker, std::unique_ptr<Stream> stream, Client client);
    Http2Session(Session&& before, Connection&& connection);
    ~Http2Session() override;

    [[nodiscard]] Task<void> run();
    [[nodiscard]] Task<void> read_all();
    [[nodiscard]] Task<void> write_all();
    [[nodiscard]] Task<void> serve_one(Http2Exchange& one);
    [[nodiscard]] http2::ServerStream* open() noexcept;
    void take_input();
    /// True if there was somebody to serve.
    bool serve_waiting();
    void lose_streams();
    void wake();
    void flush();
    void set_deadline();
    void look_for_life();
    void end_soon();
    void destroy_when_quiet();

    void input_seen() noexcept override;
    void deadline_passed(ErrorKind kind) noexcept override;

    using Running =
        boost::intrusive::list<Http2Exchange, boost::intrusive::constant_time_size<false>>;

    Codec codec_;
    Running running_;
    std::size_t live_ = 0;                 ///< exchanges, those whose streams are gone included
    std::vector<Http2Exchange*> waiting_;  ///< to be served as soon as the codec is left
    std::coroutine_handle<> writer_;       ///< while it has nothing to send
    LifeWatch life_;
    TimePoint idle_until_ = never;     ///< while no exchange is live
    TimePoint section_until_ = never;  ///< for the field section that is being received
    TimePoint end_at_ = never;         ///< when a drain takes no more streams
    bool writing_on_ = true;           ///< the writer has not been told to stop
    bool bulk_ = false;                ///< the last write was too large for a small buffer
    bool draining_ = false, ended_ = false;
    bool lingering_ = false;  ///< nothing is carried any more
    bool over_ = false;       ///< run() has ended
};

}  // namespace scrollgate
