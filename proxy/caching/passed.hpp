// What the answer to a request that went past the cache means for what is stored.
#pragma once

#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// x.response has come for a client on a route with a cache, as the origin gave it: HEAD refreshes
/// or removes what is stored (RFC 9111 section 4.3.5), what is for everybody weakens the marker
/// that it came past, and Cache-Status is added. Before the answer goes out.
void note_passed(Exchange& x);

/// x.response answers a HEAD, and says that the origin fails: what is stored stands in, and nothing
/// of it is to be passed on.
[[nodiscard]] bool gives_way(Exchange& x);

}  // namespace scrollgate
