// Answers that the proxy gives by itself: errors, redirects, fixed responses.
#pragma once

#include "core/task.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// A small error answer: JSON where the client accepts it, else text; status, reason token, request
/// id, and nothing about the inside. A gRPC call gets 200 with all of it in grpc-status and
/// grpc-message.
[[nodiscard]] Task<void> reply_error(Exchange& x, const Error& error);
/// A route's `redirect`.
[[nodiscard]] Task<void> redirect(Exchange& x, const config::Redirect& rule);
/// The request came without TLS, to us and, if a trusted proxy says so, to it.
[[nodiscard]] bool is_plain(const Exchange& x);
/// 308 to the same place under https://, at `port`.
[[nodiscard]] Task<void> redirect_to_https(Exchange& x, std::uint16_t port);
/// A route's `respond`.
[[nodiscard]] Task<void> respond(Exchange& x, const config::Respond& rule);

}  // namespace scrollgate
