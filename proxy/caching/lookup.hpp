// What a request is looked up by, and which of several variants it chooses.
#pragma once

#include <string>
#include <string_view>

#include "cache/reason.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// The scheme that the origin is told: the client's, or what a trusted proxy says of it. Empty: it
/// says something else than http or https.
[[nodiscard]] std::string_view key_scheme(const Exchange& x) noexcept;

/// Makes x.cache.target and x.cache.key. Reasons: those of make_key().
[[nodiscard]] CacheReason find_key(Exchange& x);

/// The key names no URL but what was set by hand under it: never to be forwarded.
[[nodiscard]] bool is_bare(const Exchange& x) noexcept;

/// Finds x.cache.entry, or says in x.cache.reason why there is none.
void look_up(Exchange& x);

/// `x`, whose fields are as the client sent them, would have chosen the variant with these lines.
[[nodiscard]] bool chooses(Exchange& x, std::string_view lines);
/// The Vary lines of `x` where responses vary as one with these lines does.
[[nodiscard]] std::string variant_for(Exchange& x, std::string_view lines);
/// The Vary lines that the answer to `x` will have, as far as what is stored tells; empty: unknown.
/// After look_up().
[[nodiscard]] std::string expected_variant(Exchange& x);

/// The answer to `x` will probably be for its client alone, because of what the request says:
/// credentials, or cookies where the lifetime is an estimate.
[[nodiscard]] bool asks_for_itself(const Exchange& x) noexcept;

/// The authority and values that are compared normalised are so in x.request, and no field is left
/// that has influence without being part of the key.
void normalise_for_fill(Exchange& x);
/// Makes x.request.fields what an origin gets when its response may be stored: that, and prepared.
void prepare_for_fill(Exchange& x);

/// A number in (0, 1], for refresh_early().
[[nodiscard]] double dice(Exchange& x);

}  // namespace scrollgate
