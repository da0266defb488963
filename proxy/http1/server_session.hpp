// ServerSession: one client connection over HTTP/1, from accept to close.
//
// Reads one request after the other, gives each an Exchange, and decides whether the connection
// goes on. Owns itself: start() runs it, and it is destroyed when nothing of it is pending. An idle
// session holds no buffer and no Exchange. One worker; no locks.
#pragma once

#include <boost/intrusive/list_hook.hpp>

#include "core/net/connection.hpp"
#include "core/task.hpp"
#include "proxy/http1/body_source.hpp"
#include "proxy/http1/response_sink.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// What a session needs for one request; recycled by the worker.
struct ServerExchange {
    explicit ServerExchange(Worker& worker) : exchange(worker) {}

    Exchange exchange;
    Http1BodySource body;
    Http1ResponseSink sink;
};

using SessionHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class ServerSession final : private Connection, public SessionHook {
  public:
    /// Serves `stream` until it ends.
    static void start(Worker& worker, std::unique_ptr<Stream> stream, Client client);

    /// From the next answer on: "Connection: close".
    void say_close() noexcept;
    /// The worker drains: say_close(); an idle connection closes now, or, if it
    /// was used within the last second, after that second, because a request may be on its way.
    void drain();
    /// Gives up: whatever is under way is called off.
    void abandon();

  private:
    ServerSession(Worker& worker, std::unique_ptr<Stream> stream, Client client);
    ~ServerSession() override;

    enum class Phase : std::uint8_t { idle, head, exchange, lingering, over };

    [[nodiscard]] Task<void> run();
    [[nodiscard]] Task<bool> await_request();
    [[nodiscard]] Task<bool> serve_one(bool pipelined);
    [[nodiscard]] Task<Result<void>> read_head(Exchange& x);
    void begin(ServerExchange& one);
    [[nodiscard]] Task<void> linger();
    void destroy_when_quiet();

    void input_seen() noexcept override;
    void deadline_passed(ErrorKind kind) noexcept override;

    Worker& worker_;
    Client client_;
    ServerExchange* current_ = nullptr;  ///< the one under way
    TimePoint idle_until_ = never;
    Phase phase_ = Phase::idle;
    bool draining_ = false;
};

}  // namespace scrollgate
