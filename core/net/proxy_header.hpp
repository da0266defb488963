// The PROXY protocol, versions 1 and 2: how a load balancer that passes bytes on tells who the
// client is, in front of everything else that is sent.
//
// Stateless; any thread. Whoever may not be believed must not be asked: the header says what it
// likes.
#pragma once

#include <string>
#include <string_view>

#include "core/net/address.hpp"

namespace scrollgate {

struct ProxyHeader {
    enum class Status : std::uint8_t {
        complete,   ///< `consumed` bytes are the header
        need_more,  ///< so far it may become one
        failed,     ///< it is none, or one that is malformed or too long
    };
    Status status = Status::need_more;
    std::size_t consumed = 0;
    /// The connection is not on behalf of a client, or of one without an address (LOCAL, UNKNOWN,
    /// UNSPEC, a local socket): that of the peer holds.
    bool local = false;
    /// It is on behalf of a client without an address, so that the peer's is not the client's, and
    /// what the client sends is not the peer's word.
    bool anonymous = false;
    SocketAddress source, destination;
};

/// Reads the header that `bytes` begin with; of at most limits::proxy_header bytes, TLVs included,
/// which are skipped.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view bytes) noexcept;

/// "PROXY TCP4 …", version 1. If the families differ, both are written as IPv6.
[[nodiscard]] std::string proxy_header_v1(const SocketAddress& source,
                                          const SocketAddress& destination);
/// The same in version 2.
[[nodiscard]] std::string proxy_header_v2(const SocketAddress& source,
                                          const SocketAddress& destination);
/// For a connection of our own, a health check: "PROXY UNKNOWN", and LOCAL.
[[nodiscard]] std::string proxy_header_v1_local();
[[nodiscard]] std::string proxy_header_v2_local();

}  // namespace scrollgate
