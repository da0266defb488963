// Session: one client connection, whatever it speaks; and how one begins.
//
// Sessions own themselves: they are destroyed when nothing of them is pending. All of a worker hang
// in one list, through which it drains and abandons them. One worker; no locks.
#pragma once

#include <memory>

#include <boost/intrusive/list_hook.hpp>

#include "core/net/connection.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

using SessionHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class Session : public SessionHook {
  public:
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// The connection is not to be used for long any more, and the client is told so: in the next
    /// answers of HTTP/1, by a GOAWAY of HTTP/2.
    virtual void say_close() noexcept = 0;
    /// The worker drains, or the listener is not what it was: say_close(); an idle connection
    /// closes now, or, if it was used within the last second, after that second, because a request
    /// may be on its way.
    virtual void drain() = 0;
    /// Gives up: whatever is under way is called off.
    virtual void abandon() = 0;
    [[nodiscard]] const Client& client() const noexcept { return client_; }

  protected:
    /// A connection that Admission has let in; it leaves with the session.
    Session(Worker& worker, Client client);
    /// Takes the place of `before`, whose connection goes on in another protocol.
    explicit Session(Session&& before);
    ~Session();

    /// Our last word is out, but the client may still be sending: closing now could reset the
    /// connection and take that word with it (RFC 9112 section 9.6). Reads on for a moment,
    /// bounded, then closes.
    [[nodiscard]] static Task<void> linger(Connection& connection);

    Worker& worker_;
    Client client_;

  private:
    bool replaced_ = false;
};

/// What the peer of a new connection speaks.
enum class Protocol : std::uint8_t {
    cleartext,  ///< HTTP/1, or HTTP/2 if the preface of RFC 9113 section 3.4 comes first
    http1,      ///< as ALPN said, or did not say
    http2,      ///< as ALPN said
};

/// Serves `stream`, which is connected, until it ends. Bytes of the peer are not read yet.
void start_session(Worker& worker, std::unique_ptr<Stream> stream, Client client,
                   Protocol protocol);

}  // namespace scrollgate
