// WebSocket over HTTP/2 (RFC 8441): what stands in the request, made into the handshake of RFC 6455
// that origins over HTTP/1.1 know.
#pragma once

#include <string_view>

#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Makes the request of an extended CONNECT, whose :protocol is `protocol`, one that asks for an
/// upgrade to it.
void ask_for_upgrade(Exchange& x, std::string_view protocol);

}  // namespace scrollgate
