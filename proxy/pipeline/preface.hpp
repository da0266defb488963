// What a new connection to an endpoint begins with, before HTTP and TLS.
#pragma once

#include <string>

#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// The PROXY header about the exchange's client, if the endpoint's pool wants one; else empty.
/// LOCAL (UNKNOWN in version 1) for what no client has asked for.
[[nodiscard]] std::string preface_for(const Exchange& x, const Endpoint& endpoint);

}  // namespace scrollgate
