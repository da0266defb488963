// A small HTTP/1.1 server for work off the data path: the admin address and the demo's origins.
//
// It runs on one io_context and belongs to that one thread: every call, every handler and every
// reply happens there. Connections, heads, bodies and waits are bounded. Not for proxied traffic,
// which has its own parser and its own ends. Beast stays behind this header.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/limits.hpp"
#include "core/net/address.hpp"

namespace boost::asio {
class io_context;
}

namespace scrollgate::http1 {

using PlainHeaders = std::vector<std::pair<std::string, std::string>>;

/// The first value of a field, compared without case; empty if there is none.
[[nodiscard]] std::string_view find_header(const PlainHeaders& headers, std::string_view name);

/// A request that has arrived completely. Owns its bytes.
struct HttpRequest {
    std::string method;
    std::string target;       ///< as received
    std::string path, query;  ///< the target's parts; query without '?'
    PlainHeaders headers;     ///< in the order of the wire
    std::string body;
    SocketAddress peer;

    [[nodiscard]] std::string_view header(std::string_view name) const {
        return find_header(headers, name);
    }
};

/// An answer. Content-Length, Date and Connection are added; a HEAD's body is left out.
struct HttpResponse {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";  ///< empty: no such field
    PlainHeaders headers;
    std::string body;
    std::shared_ptr<const std::string> shared_body{};  ///< used instead of `body` if set: no copy
};

/// Answers one request; to be called once, now or later, on the server's thread. Later calls do
/// nothing, nor does a call after the server has stopped. When the last copy goes unused, the
/// client is told 500.
using HttpReply = std::function<void(HttpResponse)>;
/// The request is valid only during the call.
using HttpHandler = std::function<void(const HttpRequest&, HttpReply)>;

struct ServerBounds {
    std::size_t connections = limits::admin_connections;  ///< beyond: the oldest idle one goes
    std::size_t head_bytes = limits::header_bytes;
    std::uint64_t body_bytes = limits::admin_body;
    std::chrono::milliseconds idle{limits::client_idle};       ///< between two requests
    std::chrono::milliseconds request{limits::client_header};  ///< a head, and again a body
    std::chrono::milliseconds write{limits::client_body};      ///< without a byte taken
};

class BeastServer {
  public:
    /// `context` must outlive the server. Nothing happens before listen().
    BeastServer(boost::asio::io_context& context, HttpHandler handler, ServerBounds bounds = {});
    /// Stops.
    ~BeastServer();
    BeastServer(const BeastServer&) = delete;
    BeastServer& operator=(const BeastServer&) = delete;

    /// Binds and starts to accept; port 0 picks a free one. Returns an empty text, or what failed
    /// and why ("cannot listen on 127.0.0.1:9528: Address already in use"). Call once.
    [[nodiscard]] std::string listen(const SocketAddress& address);
    /// The bound port; 0 before listen().
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Open connections.
    [[nodiscard]] std::size_t connections() const noexcept;
    /// Closes the listener and all connections. Idempotent.
    void stop() noexcept;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace scrollgate::http1
