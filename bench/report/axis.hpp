// Axes of charts: from a value to its place, and where the ticks are. Stateless, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace scrollgate::bench {

struct Tick {
    double at = 0;
    std::string label;
};

struct Axis {
    double from = 0, to = 1;  ///< to > from, and from > 0 if `log`
    bool log = false;
    std::vector<Tick> ticks;  ///< rising, within [from, to]

    /// Where `value` stands, 0 (from) to 1 (to); beyond the ends the nearer end.
    [[nodiscard]] double place(double value) const noexcept;
};

/// Seconds from 0 to `length`.
[[nodiscard]] Axis time_axis(Duration length);
/// Nanoseconds, logarithmic, wide enough for both.
[[nodiscard]] Axis latency_axis(Duration least, Duration most);
/// Responses per second, from 0 to a little above `most`.
[[nodiscard]] Axis rate_axis(double most);
/// 0 to 1, in percent.
[[nodiscard]] Axis share_axis();
/// -log10(1 - quantile): each nine of a percentile has the same width. As far as `count` values
/// tell, at most to 99.9999%.
[[nodiscard]] Axis percentile_axis(std::uint64_t count);

}  // namespace scrollgate::bench
