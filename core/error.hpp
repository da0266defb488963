// What can go wrong with a message, and what follows from it.
//
// One table (error.cpp) holds, per kind: whose fault it is, the status a client gets, also one of
// gRPC, the reason token of log, metrics and error body, and whether it counts against the
// endpoint. Nothing else in the tree decides any of these.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "core/grpc.hpp"

namespace scrollgate {

/// Whose side of the proxy an error came from.
enum class Side : std::uint8_t { client, upstream, internal };

/// Every way in which a request can end other than well. Order follows the table in error.cpp.
enum class ErrorKind : std::uint8_t {
    // client
    bad_request,          ///< grammar of the head (RFC 9112 section 3, 5)
    bad_framing,          ///< lengths that two parsers could read differently (RFC 9112 6.3)
    bad_host,             ///< Host missing, doubled or malformed (RFC 9112 3.2)
    bad_path,             ///< NUL, backslash or encoded slash next to dot segments
    bad_chunk,            ///< chunked coding of the request body is malformed
    header_timeout,       ///< head not complete within timeouts.client_header
    body_timeout,         ///< no body byte within timeouts.client_body
    body_too_large,       ///< beyond limits.body
    length_required,      ///< a body that cannot be delimited
    uri_too_long,         ///< beyond limits.uri_bytes
    header_too_large,     ///< beyond limits.header_bytes or limits.headers
    method_refused,       ///< TRACE and CONNECT
    expectation_failed,   ///< an Expect other than 100-continue
    coding_unknown,       ///< a Transfer-Encoding other than chunked (RFC 9112 6.1)
    version_unsupported,  ///< not HTTP/1.0 or HTTP/1.1
    only_if_cached,       ///< the request forbids asking an origin (RFC 9111 5.2.1.7)
    loop_detected,        ///< our own node name in Via, or 8 hops
    misdirected,          ///< Host is none of the TLS connection's (RFC 9110 15.5.20)
    plain_on_tls,         ///< HTTP without TLS on a port for TLS
    tls_on_plain,         ///< a TLS handshake on a port for HTTP without TLS
    client_closed,        ///< the client went away before the answer was complete
    client_stalled,       ///< the client took no byte within timeouts.client_write
    // upstream
    connect_refused,
    connect_timeout,
    connect_failed,
    upstream_reset,       ///< connection lost before the final head was complete
    upstream_timeout,     ///< timeouts.upstream_response
    upstream_malformed,   ///< framing, garbage, control bytes, limits in the response head
    upstream_truncated,   ///< body ended early or was malformed after the head was passed on
    upstream_stalled,     ///< timeouts.upstream_body
    upstream_refused,     ///< REFUSED_STREAM, or GOAWAY before the stream: nothing was done
    upgrade_unknown,      ///< the origin does not take WebSocket, where it has to (RFC 8441)
    upstream_unresolved,  ///< no address is known for any endpoint
    no_endpoint,          ///< every endpoint was tried or is unavailable
    // internal
    no_route,
    request_timeout,  ///< timeouts.request, the hard total
    overloaded,       ///< buffers, connections or a pool's limits are exhausted
    shutting_down,
    cancelled,  ///< the work was called off; never seen by a client
};
inline constexpr std::size_t error_kinds = static_cast<std::size_t>(ErrorKind::cancelled) + 1;

/// The facts that follow from a kind.
struct ErrorFacts {
    ErrorKind kind;
    Side side;
    std::uint16_t status;     ///< what the client is told; 499 = nobody is there to be told
    grpc::Status grpc;        ///< what it is told instead if it speaks gRPC
    std::string_view reason;  ///< stable token: log, metrics, error body
    bool against_endpoint;    ///< counts for outlier detection
};

/// The row of the table for `kind`. Never fails. Any thread.
[[nodiscard]] const ErrorFacts& facts(ErrorKind kind) noexcept;

/// A failure as a value. `retry_safe` says that repeating the request cannot repeat an effect:
/// no byte of it was written, or its method is idempotent and its body can be sent again.
struct Error {
    ErrorKind kind = ErrorKind::cancelled;
    bool retry_safe = false;
    boost::system::error_code cause{};  ///< the system's word, if there is one
    const char* detail = "";            ///< static text for the operator's log; never sent out

    [[nodiscard]] Side side() const noexcept { return facts(kind).side; }
    [[nodiscard]] std::uint16_t status() const noexcept { return facts(kind).status; }
    [[nodiscard]] grpc::Status grpc() const noexcept { return facts(kind).grpc; }
    [[nodiscard]] std::string_view reason() const noexcept { return facts(kind).reason; }
};

}  // namespace scrollgate
