#include "bench/report/duration_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view name;
    double size;
};

struct TimeUnit {
    std::string_view name;
    Duration span;
};
constexpr std::array time_units = {TimeUnit{"h", 1h},   TimeUnit{"m", 1min}, TimeUnit{"s", 1s},
                                   TimeUnit{"ms", 1ms}, TimeUnit{"us", 1us}, TimeUnit{"ns", 1ns}};
constexpr Duration longest = 365 * 24h;

/// Three significant digits of a value below 1000: "1.24", "12.4", "124".
std::string three_digits(double value) {
    if (value < 9.995) return fmt::format("{:.2f}", value);
    if (value < 99.95) return fmt::format("{:.1f}", value);
    return fmt::format("{:.0f}", value);
}

/// `value` in the largest of `units` (rising) in which it is at least 1, after rounding.
template <std::size_t N>
std::string in_units(double value, const std::array<Unit, N>& units, double most) {
    std::size_t at = 0;
    while (at + 1 < units.size() && value / units[at].size >= most)
        ++at;
    const bool whole = at == 0 && value == std::floor(value);
    return (whole ? fmt::format("{:.0f}", value) : three_digits(value / units[at].size))
        .append(units[at].name);
}

}  // namespace

std::string duration_text(Duration value) {
    if (value == Duration::zero()) return "0";
    if (value < Duration::zero()) return "-" + duration_text(-std::max(value, -Duration::max()));
    if (value >= 1h - 500ms) {
        // Rounding the longest of all would overflow.
        value = std::min<Duration>(value, Duration::max() - 1min);
        const auto minutes = std::chrono::round<std::chrono::minutes>(value);
        return fmt::format("{}h{:02}m", minutes / 1h, (minutes % 1h) / 1min);
    }
    if (value >= 2min) {
        const auto seconds = std::chrono::round<std::chrono::seconds>(value);
        return fmt::format("{}m{:02}s", seconds / 1min, (seconds % 1min) / 1s);
    }
    constexpr std::array units = {Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}};
    return in_units(static_cast<double>(value.count()), units, 999.5);
}

std::string clock_text(Duration value, int decimals) {
    if (value >= 2min) return duration_text(std::chrono::floor<std::chrono::seconds>(value));
    const Duration unit = decimals > 0 ? Duration(100ms) : Duration(1s);
    const Duration passed = value / unit * unit;
    return fmt::format("{:.{}f}s", seconds_of(passed), decimals);
}

std::string rate_text(double per_second) {
    if (!std::isfinite(per_second) || per_second <= 0) return "0/s";
    if (per_second < 0.01) return "<0.01/s";
    constexpr std::array units = {Unit{"", 1}, Unit{"k", 1e3}, Unit{"M", 1e6}, Unit{"G", 1e9}};
    return in_units(per_second, units, 999.5) + "/s";
}

std::string bytes_text(double bytes) {
    if (!std::isfinite(bytes) || bytes <= 0) return "0 B";
    constexpr std::array units = {Unit{" B", 1}, Unit{" KiB", 0x1p10}, Unit{" MiB", 0x1p20},
                                  Unit{" GiB", 0x1p30}, Unit{" TiB", 0x1p40}};
    return in_units(bytes, units, 999.5);
}

std::string count_text(std::uint64_t count) {
    std::string out = std::to_string(count);
    for (std::size_t at = out.size(); at > 3; at -= 3)
        out.insert(at - 3, 1, ',');
    return out;
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    if (part == 0 || whole == 0) return "0%";
    if (part == whole) return "100%";
    const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
    if (percent < 0.01) return "<0.01%";
    if (percent > 99.99) return ">99.99%";
    return fmt::format("{:.{}f}%", percent, percent < 9.995 || percent > 99.9 ? 2 : 1);
}

std::optional<Duration> parse_duration(std::string_view text) {
    if (text == "0") return Duration::zero();
    if (text.empty()) return std::nullopt;
    double total = 0;
    std::size_t next_unit = 0;  // units fall, so that 1s1h is a slip
    while (!text.empty()) {
        // Signs, exponents, "inf" and a leading point are no numbers here.
        if (text.front() < '0' || text.front() > '9') return std::nullopt;
        double number = 0;
        const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number,
                                                     std::chars_format::fixed);
        if (failure != std::errc{} || *(stop - 1) == '.') return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
        const std::string_view unit = text.substr(0, text.find_first_of("0123456789."));
        text.remove_prefix(unit.size());
        const auto found = std::find_if(time_units.begin(), time_units.end(),
                                        [&](const TimeUnit& u) { return u.name == unit; });
        const auto place = static_cast<std::size_t>(found - time_units.begin());
        if (found == time_units.end() || place < next_unit) return std::nullopt;
        next_unit = place + 1;
        total += number * static_cast<double>(found->span.count());
    }
    if (total > static_cast<double>(longest.count())) return std::nullopt;
    return Duration(std::llround(total));
}

std::string not_a_duration(std::string_view text) {
    const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == text.npos &&
                      parse_duration(std::string(text) + "ms").has_value();
    if (bare) return fmt::format("'{0}' has no unit; write {0}ms or {0}s", text);
    return fmt::format("'{}' is not a duration; write for example 200us, 50ms, 1.5s or 1m30s",
                       text);
}

}  // namespace scrollgate::bench
