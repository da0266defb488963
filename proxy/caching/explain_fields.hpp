// X-Scrollgate-Explain: why a trusted client got this answer, in fields of the answer.
//
// It is asked for by X-Scrollgate-Explain: 1, from one of trusted_proxies (x.explained). Made from
// x.cache, as Cache-Status is, so that the two agree. The field is one of a single hop, as
// Connection is: these go into what is told last, when those of the origin's hop are gone. One
// worker.
#pragma once

#include "core/header_list.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// If it is wanted, adds a field for each of route, key, vary, freshness and answer to what the
/// cache or the origin has given; behind add_cache_status() on a route with a cache.
void explain_answer(Exchange& x, HeaderList& fields);

/// The same for an answer that the proxy gives by itself, for the reason that is its outcome in the
/// log.
void explain_own(Exchange& x, std::string_view reason, HeaderList& fields);

}  // namespace scrollgate
