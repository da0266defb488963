// What stands in the two streams of a fleet (docs/cache-format.md): purges, and what nodes say of
// themselves; and positions in them. Records have a version and a check as values have. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/purge.hpp"
#include "cache/redis/reply.hpp"
#include "cache/tier/record.hpp"

namespace scrollgate::tier {

/// The id of a stream's record, "<milliseconds>-<sequence>", as one number in the same order. 0:
/// before all of them.
using Position = std::uint64_t;

/// Nothing: no id, or none that a number holds (beyond the year 2109, or four million in one
/// millisecond).
[[nodiscard]] std::optional<Position> position_of(std::string_view id) noexcept;
[[nodiscard]] std::string id_of(Position position);
/// The first one in a millisecond of the server's clock, 0 and up.
[[nodiscard]] Position position_at(std::int64_t milliseconds) noexcept;
/// The milliseconds of an id: the server's clock.
[[nodiscard]] std::int64_t milliseconds_of(Position position) noexcept;

/// One record of the stream of purges. `purge.counted`: its writer wants to hear how many responses
/// it covered elsewhere.
struct LogRecord {
    Position position = 0;
    Position after = 0;    ///< its writer knew of records up to there; whoever has read less has
                           ///< missed some that are gone
    bool reset = false;    ///< the log begins here: what was written before does not count
    Purge purge;           ///< without a reset
    std::string token;     ///< of this purge alone, in whatever log it stands
    bool checked = false;  ///< it was read, and its check holds; false: it has none, of an older
                           ///< release, or it is not to be read
};
/// What stands for records that nobody can read any more: a purge of everything, not counted.
[[nodiscard]] LogRecord of_everything(Position position);
/// A word that is another one each time.
[[nodiscard]] std::string make_token(std::uint64_t random);
/// XADD's words behind the id, sealed.
[[nodiscard]] std::vector<std::string> words_of(const LogRecord& record);
/// `reply` is one element of XRANGE's answer. What cannot be read, whyever, may have been any
/// purge: then `into` is one of everything, which nobody counts, with the record's position.
/// Position 0: it is no record of a stream at all.
[[nodiscard]] Unreadable read_purge(const redis::Reply& reply, LogRecord& into);
/// Adds version and check to the words of a record, "name value name value".
void seal(std::vector<std::string>& words);

/// How many responses a purge has covered in a node's memory.
struct Covered {
    Position purge = 0;
    std::uint64_t objects = 0;
};
/// One record of the stream of nodes: a node lives, has followed the log up to there, and has made
/// these purges.
struct NodeRecord {
    Position position = 0;
    std::string node;
    Position followed = 0;
    std::vector<Covered> covered;  ///< limits::tier_covered at most
};
[[nodiscard]] std::vector<std::string> words_of(const NodeRecord& record);
/// Nothing: it cannot be read, and the node will say more soon; its position counts all the same.
[[nodiscard]] std::optional<NodeRecord> read_node(const redis::Reply& reply, Position& position);

/// The records of one stream in XREAD's answer; null: none.
[[nodiscard]] const std::vector<redis::Reply>* records_of(const redis::Reply& answer,
                                                          std::string_view stream) noexcept;

}  // namespace scrollgate::tier
