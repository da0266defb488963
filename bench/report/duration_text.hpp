// How figures are written and read: durations, rates, sizes, counts and shares, the same in table,
// page and live view. Three significant digits, never a trailing space, ASCII only. Stateless, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace scrollgate::bench {

/// "0", "640ns", "812us", "1.24ms", "2.31s", from two minutes on "2m05s", from one hour "1h02m".
/// Negative durations get a minus.
[[nodiscard]] std::string duration_text(Duration value);
/// For clocks, which go on and are not rounded up: "0s", "59s", from two minutes on as above. With
/// one of `decimals` "59.9s". Not negative.
[[nodiscard]] std::string clock_text(Duration value, int decimals = 0);
/// "0/s", "0.25/s", "812/s", "20.0k/s", "1.24M/s". What is not finite or negative counts as 0.
[[nodiscard]] std::string rate_text(double per_second);
/// "0 B", "812 B", "1.24 KiB", "64.0 MiB".
[[nodiscard]] std::string bytes_text(double bytes);
/// "1,234,567".
[[nodiscard]] std::string count_text(std::uint64_t count);
/// "12.4%", "1.24%", "<0.01%", "100%": never "0%" for a part that is not nothing, nor "100%" for
/// one that is not all. "0%" of nothing.
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole);

/// Reads "50ms", "1.5s", "200us", "2m", "1h", "1m30s": numbers, whole or with a point, each with a
/// unit (ns, us, ms, s, m, h), units falling; up to 365 days. "0" needs no unit. Nothing if `text`
/// is not like that; not_a_duration() then says it.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// One line about a text that parse_duration() refused, without a full stop:
/// "'50' has no unit; write 50ms or 50s".
[[nodiscard]] std::string not_a_duration(std::string_view text);

}  // namespace scrollgate::bench
