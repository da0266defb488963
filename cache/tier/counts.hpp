// Counts: what the tier has done, of the whole process. Relaxed atomics; any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cache/tier/record.hpp"

namespace scrollgate::tier {

struct Counts {
    using Counter = std::atomic<std::uint64_t>;

    Counter hits{0};    ///< responses that were found and may be used, stale ones included
    Counter misses{0};  ///< it has nothing; of those who wait for another node, once
    Counter markers{0};
    Counter failures{0};  ///< no answer: late, lost, not connected, an error
    Counter away{0};      ///< not asked, because the purge log is not followed
    std::array<Counter, unreadable_kinds> unreadable{};  ///< by Unreadable
    Counter foreign_keys{0};                             ///< another key's record under this name
    Counter purged{0};                                   ///< found, and covered by a purge since
    Counter unknown_age{0};    ///< found, of a position that cannot be compared, or of the future
    Counter no_dictionary{0};  ///< found, and its dictionary was not at hand
    Counter no_room{0};        ///< found, and longer than cache.max_object, or no room in memory
    Counter bytes_read{0};
    Counter writes{0}, bytes_written{0};
    Counter dropped{0};     ///< writes that were not sent: too many, or nobody is connected
    Counter too_large{0};   ///< not written: beyond max_object
    Counter reclaimed{0};   ///< responses removed from Redis after a purge
    Counter leases{0};      ///< fills that asked the origin for the fleet
    Counter waits{0};       ///< fills that waited for another node's…
    Counter waits_won{0};   ///< …and found what it brought
    Counter waits_told{0};  ///< of waiting: told by pub/sub to look again
    std::array<Counter, unreadable_kinds> log_unreadable{};  ///< records of logs, by Unreadable
    Counter log_unchecked{0};  ///< records of logs without a check: of older releases
    Counter said{0};           ///< purges that were written to the log
    Counter heard{0};          ///< purges that came by it
    Counter unsaid{0};         ///< purges that could not be written, for good

    /// A value is no record, or not the one that it should be.
    void spoiled(Unreadable why) noexcept { add(unreadable[static_cast<std::size_t>(why)]); }
    /// A record of a log of purges was read.
    void read(Unreadable why, bool checked) noexcept {
        if (why != Unreadable::no) {
            add(log_unreadable[static_cast<std::size_t>(why)]);
        } else if (!checked) {
            add(log_unchecked);
        }
    }
    static void add(Counter& counter, std::uint64_t by = 1) noexcept {
        counter.fetch_add(by, std::memory_order_relaxed);
    }
};

}  // namespace scrollgate::tier
