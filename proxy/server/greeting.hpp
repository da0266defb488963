// Greeting: a client connection from accept to the first byte of HTTP, where something comes
// before: a PROXY header, a TLS handshake.
//
// Until the client has said its first word it costs this object and its socket, no buffer and none
// of OpenSSL's memory. It has timeouts.handshake in all, and there are limits::handshakes at a time
// per worker: one more calls off the oldest. Owns itself; ends in a session or in a close, counted
// either way. Admission has let it in. One worker; no locks.
#pragma once

#include <memory>
#include <string>

#include <boost/intrusive/list_hook.hpp>

#include "core/net/event_loop.hpp"
#include "core/net/tls_stream.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/server/listener_runtime.hpp"

namespace scrollgate {

class Worker;

class Greeting : public boost::intrusive::list_base_hook<>,
                 private ReadinessHandler,
                 private IoHandler,
                 private TimerWheel::Timer {
  public:
    /// Owns `descriptor`, which is connected and does not block.
    static void start(Worker& worker, int descriptor, const SocketAddress& peer,
                      std::shared_ptr<const ListenerRuntime> listener);
    Greeting(const Greeting&) = delete;
    Greeting& operator=(const Greeting&) = delete;

    /// Closes the connection; this object is gone soon.
    void abandon() noexcept;
    /// The same, if the client has said nothing that is still to be read.
    void drain() noexcept;
    /// Of its listener, as Client::terms.
    [[nodiscard]] std::uint64_t terms() const noexcept;

  private:
    Greeting(Worker& worker, int descriptor, const SocketAddress& peer,
             std::shared_ptr<const ListenerRuntime> listener);
    ~Greeting() override;

    void ready(std::uint32_t events) noexcept override;
    void done(IoResult result) noexcept override;
    void expired() noexcept override;
    enum class Taken : std::uint8_t { not_yet, whole, refused };
    [[nodiscard]] Taken take_proxy_header();
    [[nodiscard]] bool believe(const SocketAddress& source);
    void refuse_proxy(const char* why);
    void look_at_first_byte();
    [[nodiscard]] Client client_on(int descriptor) const;
    void shake();
    void speak_plainly();
    void failed(const boost::system::error_code& error);
    void leave() noexcept;
    void end() noexcept;

    Worker& worker_;
    int descriptor_;  ///< owned until a stream has it; -1
    SocketAddress peer_;
    const std::shared_ptr<const ListenerRuntime> listener_;
    std::unique_ptr<TlsStream> stream_;  ///< while it shakes hands
    bool awaits_header_;
    bool anonymous_ = false;  ///< the client whom a PROXY header does not name
    bool admitted_ = true;    ///< counted by Admission, until a session is
};

}  // namespace scrollgate
