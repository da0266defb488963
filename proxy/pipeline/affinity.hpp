// What ties a request to one endpoint: the key that consistent_hash goes by, and the cookie of a
// sticky route. Version-neutral.
#pragma once

#include <cstdint>

namespace scrollgate {

struct Exchange;

struct Affinity {
    std::uint64_t hash = 0;  ///< of the key (`hash`); 0: the route has none, or the request not
    std::uint64_t tag = 0;   ///< of the endpoint that the client's cookie names; 0: none
};

/// What `x`, prepared, brings along for its route.
[[nodiscard]] Affinity affinity_of(const Exchange& x);

/// On a sticky route, adds a cookie (RFC 6265) to x.response that names the endpoint which gives
/// the answer, if the client does not have it already. It holds a hash, not an address.
void set_sticky_cookie(Exchange& x);

}  // namespace scrollgate
