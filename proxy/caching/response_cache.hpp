// ResponseCache: what all workers share for caching: the stored responses, and the fills that are
// on their way. Owned by the Server, outlives snapshots and workers. Any thread; both parts lock
// for themselves.
#pragma once

#include "cache/fill/fill_table.hpp"
#include "cache/store/store.hpp"
#include "proxy/caching/lookup_times.hpp"

namespace scrollgate {

class Fleet;

struct ResponseCache {
    explicit ResponseCache(const Clock& clock) : store(clock), fills(store) {}

    CacheStore store;
    FillTable fills;
    LookupTimes lookups;
    Fleet* fleet = nullptr;  ///< others that share a Redis with this process; null: it is alone
};

}  // namespace scrollgate
