// The key of a WebSocket handshake and its answer (RFC 6455 section 4), for a proxy that makes the
// handshake in the name of a client over HTTP/2.
#pragma once

#include <array>
#include <string_view>

#include "core/rng.hpp"

namespace scrollgate::http1 {

/// What Sec-WebSocket-Key says: 16 random bytes in base64, not terminated.
using WebSocketKey = std::array<char, 24>;
[[nodiscard]] WebSocketKey make_websocket_key(Rng& rng) noexcept;

/// What Sec-WebSocket-Accept says to a key (section 4.2.2): base64, not terminated. Any thread.
using WebSocketAccept = std::array<char, 28>;
[[nodiscard]] WebSocketAccept websocket_accept(std::string_view key) noexcept;

/// Whether `accept` is the Sec-WebSocket-Accept that answers `key` (section 4.2.2). Any thread.
[[nodiscard]] bool answers_websocket_key(std::string_view key, std::string_view accept) noexcept;

}  // namespace scrollgate::http1
