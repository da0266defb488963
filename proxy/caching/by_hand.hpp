// Objects that operators put into the cache, look at and take out: by URL, for a route that allows
// it (entries: true), or under a bare key, which such routes serve at /_cache/<key>.
//
// What was set by hand is marked so, and no route without `entries` ever serves it. Control thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/store/store.hpp"
#include "core/clock.hpp"
#include "proxy/server/snapshot.hpp"

namespace scrollgate {

/// Why something is not done; an empty token: nothing speaks against it.
struct CacheRefusal {
    unsigned status = 0;  ///< of HTTP
    std::string token;
    std::string message;

    [[nodiscard]] explicit operator bool() const noexcept { return !token.empty(); }
};

/// Where a URL, or a bare key (all that has no "://"), is stored.
struct HandPlace {
    CacheRefusal refusal;
    CacheKey key;
    std::string where;      ///< how clients get it: the URL, or "/_cache/<key>"
    std::string partition;  ///< whose bodies it resembles; empty: those of bare keys
    bool bare = false;      ///< a bare key, or the URL where one is served
    bool allowed = false;   ///< a route serves what is set by hand there
    std::string why;        ///< why not
};
[[nodiscard]] HandPlace find_hand_place(const Snapshot& snapshot, std::string_view name);

struct HandEntry {
    std::string_view type;  ///< Content-Type
    std::string_view body;
    std::uint32_t ttl = 0;  ///< seconds
};

/// Stores it in place of what is there.
[[nodiscard]] CacheRefusal put_by_hand(CacheStore& store, const Clock& clock,
                                       const config::Cache& cache, const HandPlace& place,
                                       const HandEntry& entry);

struct HandFound {
    CacheRefusal refusal;
    std::uint16_t status = 0;
    std::string type, body;
    std::int64_t age = 0, ttl = 0;  ///< seconds
    bool by_hand = false;
};

/// What a plain GET would find there, whoever put it.
[[nodiscard]] HandFound get_by_hand(const CacheStore& store, TimePoint now, const HandPlace& place);

}  // namespace scrollgate
