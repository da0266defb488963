// What an unsafe request that succeeded makes of stored responses (RFC 9111 section 4.4).
#pragma once

#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// x.response, from an origin, answers x.request: if that was unsafe and succeeded, what is stored
/// for its URL, and for Location and Content-Location on the same origin, is purged, whichever
/// route has stored it and whether or not x.route has a cache. Where neither x.route nor the route
/// of a GET has a cache, or it is a gRPC call, only if something is stored in this process: such
/// traffic does not fill the log that a fleet reads. Before the answer goes out. One worker.
void invalidate(Exchange& x);

}  // namespace scrollgate
