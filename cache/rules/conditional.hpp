// Conditional and range requests against a stored response (RFC 9110 sections 13 and 14), and
// validation of a stored response with its origin (RFC 9111 section 4.3).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/arena.hpp"
#include "core/limits.hpp"
#include "core/message.hpp"

namespace scrollgate {

/// What a stored response with status 200 and these fields answers to a conditional GET or HEAD
/// (13.2.2, first If-None-Match, else If-Modified-Since). If-Match and If-Unmodified-Since are the
/// origin's business: such requests pass (passes_to_origin()).
enum class Condition : std::uint8_t { none, holds, not_modified };
[[nodiscard]] Condition judge_condition(const HeaderList& request, const HeaderList& stored,
                                        std::int64_t now);

/// If-Match, If-Unmodified-Since: answered by the origin alone.
[[nodiscard]] bool passes_to_origin(const HeaderList& request) noexcept;

/// Bytes first to last, inclusive.
struct ByteRange {
    std::uint64_t first = 0, last = 0;
    [[nodiscard]] std::uint64_t size() const noexcept { return last - first + 1; }
};

struct Ranges {
    enum class Kind : std::uint8_t {
        whole,          ///< no Range that counts: answer 200
        partial,        ///< answer 206 with `ranges`
        unsatisfiable,  ///< answer 416
    };
    Kind kind = Kind::whole;
    /// In the order of the request; if some overlap, those and adjacent ones are joined, and all
    /// are in ascending order (14.2). At most limits::cache_ranges, else `whole`.
    std::vector<ByteRange> ranges;
};

/// What Range and If-Range of `request` mean for a stored response of `size` bytes with these
/// fields. GET only; a Range that is malformed or of another unit is ignored (14.2).
[[nodiscard]] Ranges judge_range(const RequestHead& request, const HeaderList& stored,
                                 std::uint64_t size, std::int64_t now);

/// Fields that ask the origin whether the stored response is still good: If-None-Match and
/// If-Modified-Since from its validators. The client's own are removed first, as are Range,
/// If-Range, If-Match and If-Unmodified-Since. Views into `stored`.
void make_validating(HeaderList& request, const HeaderList& stored);
/// Removes all that would make the answer less than the whole: for fills.
void make_unconditional(HeaderList& request);

/// The fields of a stored response after a 304 (3.2): those of `fresh` replace the stored ones of
/// the same name, but Content-Length, Content-Encoding, Content-Range, Content-MD5 and ETag. Views
/// into both.
[[nodiscard]] HeaderList updated(const HeaderList& stored, const HeaderList& fresh);

/// The 304 is about the stored response: its validators do not contradict (4.3.4). Without any it
/// answers the one that was named in the request.
[[nodiscard]] bool validates(const HeaderList& stored, const HeaderList& fresh);

}  // namespace scrollgate
