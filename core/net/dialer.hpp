// Dialer: the seam through which connections to servers are made, plain or TLS.
//
// Stateless; any thread, one loop per stream.
#pragma once

#include <memory>
#include <string>

#include "core/net/tcp_stream.hpp"
#include "core/net/tls_context.hpp"

namespace scrollgate {

/// The TLS side of a server: who it has to be. Immutable; its address is its identity, so that
/// what was agreed under one is not used under another.
struct TlsTarget {
    std::shared_ptr<const TlsClientContext> context;
    std::string server_name;
};

/// How to begin a connection.
struct DialPlan {
    std::shared_ptr<const TlsTarget> tls{};  ///< null: plain TCP
    std::shared_ptr<TlsSession> session{};   ///< of this target; may be null
    std::string preface{};                   ///< sent before anything else: a PROXY header
};

/// The second implementation is the tests' script.
class Dialer {
  public:
    virtual ~Dialer() = default;
    /// An unconnected stream; start_connect() comes next.
    [[nodiscard]] virtual std::unique_ptr<Stream> open(EventLoop& loop, const DialPlan& plan) = 0;
};

class SocketDialer final : public Dialer {
  public:
    std::unique_ptr<Stream> open(EventLoop& loop, const DialPlan& plan) override;
};

}  // namespace scrollgate
