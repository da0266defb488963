// Dial: where clients connect to and how, found out and tried once before a run.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bench/plan/plan.hpp"
#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/tls_context.hpp"

namespace scrollgate::bench {

struct Dial {
    std::vector<SocketAddress> addresses;  ///< taken in turn; at least one
    /// An unconnected stream, TCP or TLS; the latter offers the plan's version of HTTP, and no
    /// other, by ALPN, and goes on from `session` if that is not null. Any thread.
    std::function<std::unique_ptr<Stream>(EventLoop&, std::shared_ptr<TlsSession> session)> open;
};

/// Resolves the plan's origin and connects to each of its addresses once, the TLS handshake
/// included, so that a typing error or a certificate nobody believes is told at once and in one
/// line: throws BadInput (url.hpp). Blocks, at most for the plan's timeout or 10 s per address.
[[nodiscard]] Dial dial_for(const Plan& plan);

}  // namespace scrollgate::bench
