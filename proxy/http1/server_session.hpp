// ServerSession: one client connection over HTTP/1, from accept to close.
//
// Reads one request after the other, gives each an Exchange, and decides whether the connection
// goes on. Owns itself: start() runs it, and it is destroyed when nothing of it is pending. An idle
// session holds no buffer and no Exchange. One worker; no locks.
#pragma once

#include "core/net/connection.hpp"
#include "core/task.hpp"
#include "proxy/http1/body_source.hpp"
#include "proxy/http1/response_sink.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/server/session.hpp"

namespace scrollgate {

/// What a session needs for one request; recycled by the worker.
struct ServerExchange {
    explicit ServerExchange(Worker& worker) : exchange(worker) {}
    void reset() noexcept { exchange.reset(); }

    Exchange exchange;
    Http1BodySource body;
    Http1ResponseSink sink;
};

class ServerSession final : private Connection, public Session {
  public:
    /// Serves `stream` until it ends. With `either`, one that begins with HTTP/2's preface goes on
    /// as an Http2Session.
    static void start(Worker& worker, std::unique_ptr<Stream> stream, Client client,
                      bool either = false);

    void say_close() noexcept override;
    void drain() override;
    void abandon() override;

  private:
    ServerSession(Worker& worker, std::unique_ptr<Stream> stream, Client client, bool either);
    ~ServerSession() override;

    enum class Phase : std::uint8_t { idle, head, exchange, lingering, over };

    [[nodiscard]] Task<void> run();
    [[nodiscard]] Task<bool> await_request();
    [[nodiscard]] Task<bool> speaks_http2();
    [[nodiscard]] Task<bool> serve_one(bool pipelined);
    [[nodiscard]] Task<Result<void>> read_head(Exchange& x);
    void begin(ServerExchange& one);
    void destroy_when_quiet();

    void input_seen() noexcept override;
    void deadline_passed(ErrorKind kind) noexcept override;

    ServerExchange* current_ = nullptr;  ///< the one under way
    TimePoint idle_until_ = never;
    Phase phase_ = Phase::idle;
    bool draining_;
    bool either_;  ///< the first bytes tell whether this is HTTP/1
};

}  // namespace scrollgate
