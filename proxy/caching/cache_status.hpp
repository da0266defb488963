// Cache-Status (RFC 9211) and Age, made from what was decided.
#pragma once

#include "core/header_list.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// The present member of Cache-Status for x.cache, in x.arena: "scrollgate; hit; ttl=30".
[[nodiscard]] std::string_view cache_status(Exchange& x);

/// Adds Cache-Status to `fields`, behind those of caches nearer to the origin, and tells the
/// record.
void add_cache_status(Exchange& x, HeaderList& fields);

/// Adds Age, in seconds.
void add_age(Exchange& x, HeaderList& fields, std::int64_t seconds);

/// What metrics count x.cache as.
[[nodiscard]] CacheResult result_of(const CacheDecision& decision) noexcept;

/// Why the origin was asked, as Cache-Status says it in `fwd`: "miss".
[[nodiscard]] std::string_view forward_token(CacheReason reason) noexcept;

}  // namespace scrollgate
