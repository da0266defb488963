// Two workers and a fill that the first one writes; what the tests of fills begin with.
#pragma once

#include "core/limits.hpp"
#include "tests/unit/cache/fill/follower.hpp"

namespace scrollgate::testing {

inline constexpr std::size_t piece = limits::cache_block;

/// Two workers and a fill that the first one writes; both loops are turned by hand.
struct FillWorld {
    explicit FillWorld(std::uint64_t memory = limits::cache_memory) {
        config::Cache cache;
        cache.memory = memory;
        store.configure(cache);
        fill.reset(new Fill(store, key_for("/x")));
        fill->begin(loop);
    }
    ~FillWorld() {
        if (!fill->over()) fill->fail(Error{});
        settle(loop);
        settle(other);
    }
    /// Appends `size` bytes of the body.
    bool append(std::size_t size) { return fill->append(body_of(size, fill->length())); }

    ManualClock clock;
    CacheStore store{clock};
    EventLoop loop{clock, 1, limits::frequency}, other{clock, 2, limits::frequency};
    FillRef fill;
};

}  // namespace scrollgate::testing
