// May this stored response answer this request, and as what? (RFC 9111 sections 4, 5.2.1; RFC 5861)
//
// Pure functions; each decision has a named reason.
#pragma once

#include <cstdint>

#include "cache/entry.hpp"
#include "cache/freshness.hpp"
#include "cache/reason.hpp"
#include "cache/rules/cache_control.hpp"
#include "config/model.hpp"
#include "core/message.hpp"

namespace scrollgate {

struct Reuse {
    enum class Kind : std::uint8_t {
        fresh,     ///< answers as it is
        stale,     ///< answers as it is: the request accepts it (max-stale)
        refresh,   ///< answers now, stale, and is refreshed in the background
        validate,  ///< the origin is asked first
    };
    Kind kind = Kind::fresh;
    CacheReason reason = CacheReason::none;  ///< why not `fresh`
    std::int64_t age = 0;                    ///< current_age, seconds
    std::int64_t ttl = 0;                    ///< seconds left; negative: stale
    bool if_error = false;  ///< with `validate`: may answer if the origin fails (RFC 5861 4)
    bool if_slow = false;   ///< with `validate`: nothing forbids it stale (4.2.4)
};

/// `control` is the request's Cache-Control, with Pragma: no-cache (5.4) folded in:
/// request_control(). `softly_purged`: only after validation, though it may stand in for an origin
/// that fails.
[[nodiscard]] Reuse judge_reuse(const CacheControl& control, const Freshness& stored,
                                bool softly_purged, TimePoint now) noexcept;

/// The same of what an operator has set: it answers while it is fresh, whatever the request says.
[[nodiscard]] Reuse judge_by_hand(const Freshness& stored, bool softly_purged,
                                  TimePoint now) noexcept;

/// Whether `route` may use `entry` at all, which another route of its partition, another node or an
/// earlier file may have stored: by hand where it has `entries`, with cookies where it stores them.
[[nodiscard]] inline bool is_for_route(const CacheEntry& entry,
                                       const config::RouteCache& route) noexcept {
    return entry.by_hand() ? route.entries : route.store_set_cookie || !entry.sets_cookie();
}

/// Why a stored response whose lifetime is an estimate (default_ttl, heuristics) is not for this
/// request: who it is for, the origin has not said, and the request says who asks, by
/// Authorization or Cookie (the reasons of the same names). Such a response is not stored either
/// (judge_storing()). `none`: it is, or the lifetime is the origin's word.
[[nodiscard]] CacheReason judge_estimate(const Freshness& stored,
                                         const HeaderList& request) noexcept;

/// A request's Cache-Control; without such a field, Pragma: no-cache counts as no-cache (5.4).
[[nodiscard]] CacheControl request_control(const HeaderList& fields);

/// refresh_early() may be true at all: the end is near, as seen by the origin's pace. Cheap.
[[nodiscard]] bool is_near_end(const Freshness& stored, TimePoint now) noexcept;

/// Early refresh (Vattani, Chierichetti, Lowenstein 2015, "XFetch"): a fresh object is refreshed
/// before it expires with a probability that grows as the end comes near and with the time that the
/// origin takes. That counts as limits::early_pace at least, so that what is asked for often is not
/// missed when the origin is fast, but then only in the last quarter of the lifetime. `dice` in
/// (0, 1].
[[nodiscard]] bool refresh_early(const Freshness& stored, TimePoint now, double dice) noexcept;

}  // namespace scrollgate
