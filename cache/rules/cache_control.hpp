// Cache-Control and its kin as values: RFC 9111 section 5.2, RFC 5861, RFC 8246 (immutable), RFC
// 9213 (CDN-Cache-Control), and Surrogate-Control of the Edge Architecture Specification.
//
// Lenient as a recipient must be: unknown directives are skipped, names compare without case, both
// token and quoted arguments are read; a delta-seconds that is no number counts as 0 (stale), one
// that is too large as limits::cache_ttl_most; of contradictory ones the stricter counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/header_list.hpp"

namespace scrollgate {

struct CacheControl {
    bool present = false;  ///< there was such a field
    // -- responses
    bool no_store = false, private_ = false, public_ = false;
    bool no_cache = false;  ///< without field names
    bool must_revalidate = false, proxy_revalidate = false, must_understand = false;
    bool immutable = false, no_transform = false;
    bool malformed = false;  ///< not made of directives: what it hides is unknown
    bool targeted = false;   ///< of a field for caches like us: Cache-Control, Expires do not count
    std::optional<std::uint32_t> max_age, s_maxage;  ///< seconds
    std::optional<std::uint32_t> stale_while_revalidate, stale_if_error;
    std::string_view no_cache_fields, private_fields;  ///< lists of names, without the quotes
    // -- requests
    bool only_if_cached = false;
    bool max_stale_any = false;  ///< max-stale without an argument
    std::optional<std::uint32_t> min_fresh, max_stale;
};

/// What all fields with this id say together: Cache-Control, CDN-Cache-Control (a structured-fields
/// dictionary: one that does not parse counts as absent) or Surrogate-Control. Views into `fields`.
[[nodiscard]] CacheControl parse_cache_control(const HeaderList& fields, Field id);

}  // namespace scrollgate
