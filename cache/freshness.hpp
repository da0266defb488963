// Freshness of a stored response: what RFC 9111 section 4.2 computes with. Plain values, fixed when
// the response was received; ages use steady time.
#pragma once

#include <cstdint>

#include "core/clock.hpp"

namespace scrollgate {

struct Freshness {
    TimePoint received{};                ///< response_time: when its head was received or validated
    std::uint32_t initial_age = 0;       ///< seconds: corrected_initial_age (4.2.3)
    std::uint32_t lifetime = 0;          ///< seconds: freshness_lifetime (4.2.1)
    std::uint32_t while_revalidate = 0;  ///< seconds beyond it: stale-while-revalidate (RFC 5861)
    std::uint32_t if_error = 0;          ///< seconds beyond it: stale-if-error (RFC 5861)
    std::uint32_t took_ms = 0;           ///< how long the origin took; for early refresh
    bool must_revalidate : 1 =
        false;                       ///< never stale (must-revalidate, proxy-revalidate, s-maxage)
    bool no_cache : 1 = false;       ///< validated before every use
    bool heuristic : 1 = false;      ///< lifetime is an estimate, or default_ttl
    bool immutable : 1 = false;      ///< does not change while fresh (RFC 8246)
    bool has_validator : 1 = false;  ///< ETag or Last-Modified
    bool if_slow : 1 = false;        ///< its route lets it answer for an origin that is slow

    /// current_age in whole seconds at `now` (4.2.3).
    [[nodiscard]] std::int64_t age(TimePoint now) const noexcept {
        return initial_age +
               std::chrono::duration_cast<std::chrono::seconds>(now - received).count();
    }
    /// Seconds for which it stays fresh; negative: stale for so long.
    [[nodiscard]] std::int64_t ttl(TimePoint now) const noexcept {
        return std::int64_t{lifetime} - age(now);
    }
};

}  // namespace scrollgate
