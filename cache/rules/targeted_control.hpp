// Fields that speak to some caches only: CDN-Cache-Control (RFC 9213), a dictionary of Structured
// Fields (RFC 8941 section 3.2), and Surrogate-Control (Edge Architecture Specification 1.0).
// Behind parse_cache_control(); pure, views into the fields, any thread.
#pragma once

#include "cache/rules/cache_control.hpp"

namespace scrollgate {

/// All fields with this id as one dictionary. A key that comes twice has its last value (8941
/// 3.2). One that does not parse, or in which a directive has a value of another type than its own
/// (9213 2.1), counts as absent; but what forbids holds whatever its value is.
[[nodiscard]] CacheControl parse_targeted_control(const HeaderList& fields, Field id);

/// Of Surrogate-Control no-store, no-store-remote and max-age, whose second number is how long it
/// may be used stale. What is for another device (";name") does not count. `present` only if
/// something is left for us.
[[nodiscard]] CacheControl parse_surrogate_control(const HeaderList& fields);

}  // namespace scrollgate
