// CacheDecision: what was decided about one request on a route with a cache, and why.
//
// Filled in on the way (cached.cpp); Cache-Status, log, metrics and `explain` are all made from it,
// so that they agree. Part of the Exchange, recycled with it.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/entry.hpp"
#include "cache/key.hpp"
#include "cache/reason.hpp"
#include "cache/rules/reuse.hpp"
#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

void intrusive_ptr_add_ref(const CacheEntry* entry) noexcept;
void intrusive_ptr_release(const CacheEntry* entry) noexcept;

struct CacheDecision {
    /// Why the origin was asked (RFC 9211 section 2.2); `none`: it was not.
    enum class Forwarded : std::uint8_t { none, method, bypass, miss, vary_miss, stale, request };

    CacheKey key;             ///< empty text: there is none
    std::string_view target;  ///< what counts of x.target, and what is forwarded for a fill
    EntryRef entry;           ///< what was found, and then what was used or came of it
    Reuse reuse;              ///< how `entry` may answer, with its age and ttl; if there was one
    Forwarded forwarded = Forwarded::none;
    CacheReason reason = CacheReason::none;   ///< why not a plain hit
    CacheReason storing = CacheReason::none;  ///< why what came was not stored; with a miss
    CacheResult result = CacheResult::none;
    std::uint16_t forward_status = 0;  ///< what the origin said, if the answer has another status
    bool hit = false;                  ///< answered from the store
    bool stored = false;               ///< what came is in the store
    bool collapsed = false;            ///< another request's fill gave the answer
    bool early = false;                ///< a hit that also started a refresh

    /// Ready for another request; the key keeps its capacity.
    void reset() noexcept {
        key.text.clear();
        key.hash = 0;
        target = {};
        entry.reset();
        reuse = {};
        forwarded = Forwarded::none;
        reason = storing = CacheReason::none;
        result = CacheResult::none;
        forward_status = 0;
        hit = stored = collapsed = early = false;
    }
};

}  // namespace scrollgate
