// FillTask: a background exchange, which asks an origin for what is to be stored.
//
// An Exchange of its own without a client: the request is copied, its body is empty, its sink is a
// Fill. It runs the ordinary forward(), so failover, hedges and retries hold for it as for anybody,
// and a client that leaves ends nothing but its own reading. Owns itself; the worker keeps a list
// of them, bounded by limits::fills, and calls them off when it stops. Observed once, as kind=fill.
// One worker; no locks.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cache/entry.hpp"
#include "cache/fill/fill.hpp"

namespace scrollgate {

class Worker;
struct Exchange;

/// What came of a background exchange.
struct FillEnd {
    std::string_view outcome;                ///< "ok" or an Error's reason
    CacheReason reason = CacheReason::none;  ///< why it is not stored; none: it is
    std::uint16_t status = 0;                ///< the origin's answer; 304: it was still good
    std::uint64_t bytes = 0;                 ///< of content
};
/// Called once, on the worker's thread, when nothing of the exchange is pending.
using FillDone = std::function<void(const FillEnd&)>;

/// What is fetched into the cache without a client: a URL, as a client would ask for it.
struct FillOrder {
    std::string scheme;     ///< "http" or "https"
    std::string authority;  ///< host, and port if it is not the scheme's
    std::string target;     ///< path and query
    std::string listener;   ///< whose routes; empty: the first one of the configuration
};

/// Fetches `order` on the route that a client's request would take, and stores it; what is stored
/// already is validated. On `worker`'s thread. `done` tells how it ended, at once if there is no
/// route with a cache (no_route), or too much is under way (overloaded).
void start_fill(Worker& worker, const FillOrder& order, FillDone done);

}  // namespace scrollgate
