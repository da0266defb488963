// CacheDecision: what was decided about one request on a route with a cache, and why.
//
// Filled in on the way (cached.cpp, fetch.cpp); Cache-Status, log, metrics and `explain` are all
// made from it, so that they agree. Part of the Exchange, recycled with it.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/entry.hpp"
#include "cache/key.hpp"
#include "cache/reason.hpp"
#include "cache/rules/reuse.hpp"
#include "cache/rules/storing.hpp"

namespace scrollgate {

struct FillHead;

struct CacheDecision {
    CacheKey key;                ///< empty text: there is none
    std::string_view target;     ///< what counts of the forwarded target; what a fill asks for
    EntryRef entry;              ///< what was found, then what answers; null: nothing
    std::uint64_t position = 0;  ///< purge position of the store before the look-up
    const FillHead* coming = nullptr;  ///< of the response that a fill brings; while it is said
    RequestSays says;  ///< where what comes past the cache may change what is stored
    const HeaderList* beside = nullptr;       ///< what a 304 has said for this client alone
    Reuse reuse;                              ///< how `entry` may answer, with its age and ttl
    CacheReason reason = CacheReason::none;   ///< why not a plain hit; none: it was one
    CacheReason storing = CacheReason::none;  ///< why what came is not stored
    std::string_view detail;                  ///< why a stale answer was given: a token
    std::uint16_t forward_status = 0;  ///< the origin's, where the answer has another one; 0: none
    bool alone = false;                ///< others wait for a refusal: it leads a fill of its own
    bool asked = false;                ///< the answer waited for the origin: not a hit
    bool stored = false;               ///< what came goes into the store
    bool collapsed = false;            ///< another request's fill gave the answer
    bool refreshes = false;            ///< a hit that has started a refresh in the background
    bool tier = false;                 ///< `entry` came from the tier in Redis for this request

    /// Ready for another request; the key keeps its capacity.
    void reset() noexcept {
        if (target.empty()) return;  // untouched
        key.text.clear();
        key.hash = 0;
        target = detail = {};
        coming = nullptr;
        says = {};
        beside = nullptr;
        entry.reset();
        position = 0;
        reuse = {};
        reason = storing = CacheReason::none;
        forward_status = 0;
        alone = asked = stored = collapsed = refreshes = tier = false;
    }
};

}  // namespace scrollgate
