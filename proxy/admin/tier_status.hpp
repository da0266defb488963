// What status, metrics and people are told of the tier in Redis: plain values, gathered from where
// they are counted. Control thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cache/redis/statistics.hpp"
#include "cache/tier/counts.hpp"
#include "core/clock.hpp"
#include "proxy/observe/exposition.hpp"

namespace scrollgate {

class Fleet;

/// Another cloud's log of purges (`purge_log`).
struct PurgeLogStatus {
    std::string url;       ///< for people, without secrets
    std::string state;     ///< of the connection that reads it: as TierStatus::state
    std::string writing;   ///< of the one that writes to it
    bool in_step = false;  ///< it was read to its end a moment ago
    bool followed = true;  ///< some node has said there that it lives
    bool refuses = false;  ///< its server answers with errors (no permission, no stream)
    double behind_s = -1;  ///< since it was; below 0: it never was
    std::string position;  ///< id of the last record there that was heard; empty: none
    double age_s = -1;     ///< of that record, by our clock; below 0: there is none
    std::uint64_t said = 0, heard = 0;
    std::uint64_t waiting = 0;  ///< purges that are to be written there
};

struct TierStatus {
    std::string url;  ///< for people, without secrets
    std::string prefix;
    std::string state;  ///< "up", "connecting", "open": of the worst of the workers' clients
    bool in_step = false;
    bool log_refuses = false;          ///< the log of purges cannot be read: the log says why
    std::uint64_t purges_waiting = 0;  ///< this node's, that are not known to be written
    bool listening = false;            ///< to what is said of leases that are waited for
    std::uint64_t nodes = 1;
    std::uint64_t hits = 0, misses = 0, markers = 0, failures = 0, away = 0;
    std::array<std::uint64_t, tier::unreadable_kinds> unreadable{};
    std::uint64_t foreign_keys = 0, purged = 0, unknown_age = 0, no_dictionary = 0, no_room = 0;
    std::uint64_t bytes_read = 0, writes = 0, bytes_written = 0, dropped = 0, too_large = 0,
                  reclaimed = 0, leases = 0, waits = 0, waits_won = 0, waits_told = 0;
    std::uint64_t said = 0, heard = 0, unsaid = 0;
    std::array<std::uint64_t, tier::unreadable_kinds> log_unreadable{};
    std::uint64_t log_unchecked = 0;
    std::vector<PurgeLogStatus> purge_logs;
    std::uint64_t pending = 0, answered = 0, errors = 0, late = 0, lost = 0, refused = 0,
                  writes_held = 0, connects = 0, openings = 0, bytes_in = 0, bytes_out = 0;
    redis::Statistics::Latency latency{};  ///< as there, of all workers
    std::uint64_t latency_us = 0;          ///< their sum
    double p50_us = 0, p99_us = 0;         ///< of answers; 0: there were none
};

[[nodiscard]] TierStatus report_tier(const Fleet& fleet, TimePoint now, WallTime wall);
/// Status' `cache.redis`.
[[nodiscard]] boost::json::object tier_json(const TierStatus& tier);
void write_tier(Exposition& page, const TierStatus& tier);

}  // namespace scrollgate
