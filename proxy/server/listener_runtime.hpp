// ListenerRuntime: what a worker needs to know of one listener. Immutable: a reload, or a changed
// certificate, makes a new one. Any thread.
#pragma once

#include <memory>
#include <string>

#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/net/tls_server.hpp"

namespace scrollgate {

struct ListenerRuntime {
    std::string name;
    std::uint16_t https_redirect = 0;             ///< port; 0: none
    bool proxy_protocol = false;                  ///< every connection begins with a PROXY header
    Duration handshake{};                         ///< for PROXY header and TLS handshake
    std::shared_ptr<const TlsServerContext> tls;  ///< null: plain
    std::uint64_t terms = 0;                      ///< terms_of() it
};

/// A digest, never 0, of who may connect to `listener` and how: its address, plain or TLS,
/// versions, protocols, whose certificates, PROXY headers. Not of its own certificates: with
/// others, the connections that are there go on.
[[nodiscard]] std::uint64_t terms_of(const config::Listener& listener);

}  // namespace scrollgate
