// Why a request was not answered from the cache, and why a response was not stored.
//
// One closed list: Cache-Status, log, metrics and `explain` take their words from it.
#pragma once

#include <cstdint>
#include <string_view>

namespace scrollgate {

enum class CacheReason : std::uint8_t {
    none,  ///< nothing speaks against it

    // -- the request does not look into the cache (fwd=bypass)
    method,         ///< neither GET nor HEAD (fwd=method)
    request_body,   ///< a GET with a body
    upgrade,        ///< asks for another protocol
    bad_authority,  ///< no host to tell objects apart by
    key_too_long,   ///< limits::cache_key
    hit_for_miss,   ///< what came the last time could not be shared

    // -- the request looks, and nothing can be used
    absent,            ///< nothing is stored for the key (fwd=miss)
    other_variant,     ///< only what Vary says is for others (fwd=vary-miss)
    expired,           ///< stale, and may not be used so (fwd=stale)
    must_validate,     ///< stored with no-cache (fwd=stale)
    request_no_cache,  ///< the request wants an answer from the origin (fwd=request)
    request_max_age,   ///< the request wants a younger one, or one that stays fresh longer
    request_no_store,  ///< the request forbids storing
    purged,            ///< softly purged: to be validated first (fwd=stale)

    // -- the response is not stored
    status,          ///< not one that is stored
    no_store,        ///< no-store
    private_,        ///< private
    authorization,   ///< to a request with Authorization, and nothing permits it (3.5)
    set_cookie,      ///< sets a cookie
    cookie,          ///< no explicit freshness, and the request had a cookie
    vary_all,        ///< Vary: *
    vary_too_much,   ///< more names than limits::cache_vary
    no_freshness,    ///< says nothing about freshness, and the route has no default_ttl
    already_stale,   ///< expired on arrival, and without a validator
    partial,         ///< 206, or 416; elsewhere Content-Range means nothing (RFC 9110 14.4)
    too_large,       ///< beyond max_object, or fields beyond their limits
    too_many_tags,   ///< more than limits::cache_tags, or longer ones than limits::cache_tag_bytes
    malformed,       ///< contradicts itself in what decides about storing
    truncated,       ///< ended before its end
    no_memory,       ///< the cache had no room
    overtaken,       ///< a purge or an unsafe request came meanwhile
    too_many_fills,  ///< limits::fills or limits::fills_of_key were under way
};

/// As Cache-Status `detail`, log and metrics say it: "hit-for-miss". Any thread.
[[nodiscard]] std::string_view token(CacheReason reason) noexcept;
/// One sentence for people, for `explain`.
[[nodiscard]] std::string_view sentence(CacheReason reason) noexcept;

}  // namespace scrollgate
