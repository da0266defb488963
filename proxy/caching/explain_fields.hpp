// X-Scrollgate-Explain: why a trusted client got this answer, in fields of the answer.
//
// Made from x.cache, as Cache-Status is, so that the two agree. One worker.
#pragma once

#include "core/header_list.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// The client asks for it (X-Scrollgate-Explain: 1) and is one of trusted_proxies.
[[nodiscard]] bool wants_explanation(const Exchange& x) noexcept;

/// Adds a field for each of route, key, vary, freshness and answer; `status` is the member of
/// Cache-Status that the answer has.
void add_explanation(Exchange& x, std::string_view status, HeaderList& fields);

/// The same for what has no Cache-Status, if it is wanted: the answer of a route without a cache,
/// or one that the proxy gives by itself, for the reason that is its outcome in the log.
void explain_uncached(Exchange& x, HeaderList& fields);
void explain_own(Exchange& x, std::string_view reason, HeaderList& fields);

}  // namespace scrollgate
