#include "config/scalars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "config/suggest.hpp"
#include "core/limits.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

struct TimeUnit {
    std::string_view name;
    Duration span;
};
constexpr std::array time_units = {TimeUnit{"d", 24h}, TimeUnit{"h", 1h}, TimeUnit{"m", 1min},
                                   TimeUnit{"s", 1s}, TimeUnit{"ms", 1ms}};
constexpr Duration longest = 365 * 24h;

struct SizeUnit {
    std::string_view name;
    std::uint64_t bytes;
};
constexpr std::uint64_t KiB = 1024;
constexpr std::array size_units = {SizeUnit{"TiB", KiB* KiB* KiB* KiB},
                                   SizeUnit{"GiB", KiB* KiB* KiB},
                                   SizeUnit{"MiB", KiB* KiB},
                                   SizeUnit{"KiB", KiB},
                                   SizeUnit{"B", 1},
                                   SizeUnit{"kB", 1000},
                                   SizeUnit{"KB", 1000},
                                   SizeUnit{"MB", 1'000'000},
                                   SizeUnit{"GB", 1'000'000'000},
                                   SizeUnit{"TB", 1'000'000'000'000}};
constexpr std::uint64_t largest = KiB * KiB * KiB * KiB * KiB;  // 1 PiB

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Takes the digits at the front of `text`. Nothing if there are none or too many.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    return value;
}

std::string_view take_unit(std::string_view& text) {
    const auto end = std::find_if(text.begin(), text.end(), is_digit);
    const std::string_view unit = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(unit.size());
    return unit;
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// "1.5s", "0.25GiB": a fraction before a unit, which is refused with the whole number to write.
bool is_fraction(std::string_view text) {
    const std::size_t dot = text.find('.');
    return dot != text.npos && dot > 0 && all_digits(text.substr(0, dot)) &&
           dot + 1 < text.size() && is_digit(text[dot + 1]);
}

Parsed<Duration> duration_unit_missing(std::string_view text) {
    // Both readings are shown: people mean seconds when the number is small.
    const std::string good = text.size() <= 2 ? fmt::format("{}s or {}00ms", text, text)
                                              : fmt::format("{}ms or {}s", text, text);
    return refuse<Duration>(fmt::format("{} has no unit; write {}", quoted(text), good));
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
    if (text == "0") return {Duration::zero(), {}};
    if (all_digits(text)) return duration_unit_missing(text);
    if (is_fraction(text))
        return refuse<Duration>(
            fmt::format("{} is not whole; use a smaller unit, such as 1500ms", quoted(text)));
    const auto not_one = [&] {
        return refuse<Duration>(
            fmt::format("{} is not a duration; write for example 250ms, 5s, 1h30m", quoted(text)));
    };
    std::string_view rest = text;
    Duration total{};
    std::size_t next_unit = 0;  // units fall, so that 1s1h is a slip
    while (!rest.empty()) {
        const auto number = take_number(rest);
        if (!number) return not_one();
        const std::string_view unit = take_unit(rest);
        const auto found = std::find_if(time_units.begin(), time_units.end(),
                                        [&](const TimeUnit& u) { return u.name == unit; });
        if (found == time_units.end()) {
            const std::string_view good = closest_unit(unit, {"d", "h", "m", "s", "ms"});
            if (good.empty()) return not_one();
            return refuse<Duration>(fmt::format("{}: unknown unit {} (did you mean {}{}?)",
                                                quoted(text), quoted(unit), *number, good));
        }
        const auto place = static_cast<std::size_t>(found - time_units.begin());
        if (place < next_unit) return not_one();
        next_unit = place + 1;
        const auto room = static_cast<std::uint64_t>((longest - total) / found->span);
        if (*number > room)
            return refuse<Duration>(
                fmt::format("{} is too long; the longest is 365d", quoted(text)));
        total += found->span * static_cast<std::int64_t>(*number);
    }
    if (text.empty()) return not_one();
    return {total, {}};
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
    if (text == "0") return {0, {}};
    if (all_digits(text)) {
        std::string_view digits = text;
        const auto bytes = take_number(digits);
        const std::string good = bytes && *bytes >= KiB ? size_text(*bytes)  // surely bytes
                                                        : fmt::format("{0}KiB or {0}B", text);
        return refuse<std::uint64_t>(fmt::format("{} has no unit; write {}", quoted(text), good));
    }
    if (is_fraction(text))
        return refuse<std::uint64_t>(
            fmt::format("{} is not whole; use a smaller unit, such as 1536KiB", quoted(text)));
    std::string_view unit = text;
    const auto number = take_number(unit);
    if (!number)
        return refuse<std::uint64_t>(
            fmt::format("{} is not a size; write for example 64KiB, 8MiB, 1GiB", quoted(text)));
    const auto found = std::find_if(size_units.begin(), size_units.end(),
                                    [&](const SizeUnit& u) { return u.name == unit; });
    if (found == size_units.end()) {
        const std::string_view good = closest_unit(unit, {"KiB", "MiB", "GiB", "TiB", "B"});
        const std::string hint = good.empty() ? std::string("; write for example 64KiB")
                                              : fmt::format(" (did you mean {}{}?)", *number, good);
        return refuse<std::uint64_t>(
            fmt::format("{}: unknown unit {}{}", quoted(text), quoted(unit), hint));
    }
    if (*number > largest / found->bytes)
        return refuse<std::uint64_t>(
            fmt::format("{} is too large; the most is 1024TiB", quoted(text)));
    return {*number * found->bytes, {}};
}

Parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    if (!all_digits(text) || (number && !rest.empty()))
        return refuse<std::uint64_t>(fmt::format("{} is not a whole number; write one of {} to {}",
                                                 quoted(text), least, most));
    if (!number || *number < least || *number > most)
        return refuse<std::uint64_t>(
            fmt::format("{} is out of range; it can be {} to {}", quoted(text), least, most));
    return {*number, {}};
}

Parsed<unsigned> parse_percent(std::string_view text) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    if (number && rest.empty())
        return refuse<unsigned>(fmt::format("{0} has no unit; write {1}%", quoted(text), *number));
    if (!number || rest != "%" || *number > 100)
        return refuse<unsigned>(
            fmt::format("{} is not a percentage; write 0% to 100%", quoted(text)));
    return {static_cast<unsigned>(*number), {}};
}

Parsed<bool> parse_switch(std::string_view text) {
    if (text == "true" || text == "on" || text == "yes") return {true, {}};
    if (text == "false" || text == "off" || text == "no") return {false, {}};
    return refuse<bool>(fmt::format("{} is neither true nor false", quoted(text)));
}

std::string duration_text(Duration value) {
    if (value == no_limit) return "none";
    if (value == Duration::zero()) return "0s";
    for (const TimeUnit& unit : time_units) {
        const bool readable = unit.span != 1min || value >= 2min;  // 60s, but 2m
        if (value % unit.span == Duration::zero() && readable && unit.name != "d")
            return fmt::format("{}{}", value / unit.span, unit.name);
    }
    return fmt::format("{}ms", value / Duration(1ms));
}

std::string size_text(std::uint64_t value) {
    if (value == limits::unlimited) return "none";
    if (value == 0) return "0B";
    for (const SizeUnit& unit : size_units)
        if (value % unit.bytes == 0) return fmt::format("{}{}", value / unit.bytes, unit.name);
    return fmt::format("{}B", value);
}

std::string count_text(std::uint64_t value) {
    return value == limits::unlimited ? "none" : fmt::format("{}", value);
}

bool is_token(std::string_view text) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != marks.npos;
    });
}

std::string in_lower_case(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
}

bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
    });
}

std::string visible(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        else
            out += c;
    }
    return out;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 60;
    std::string out = "'" + visible(text.substr(0, most));
    if (text.size() > most) {
        while ((static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) {  // no half characters
            const bool lead = (static_cast<unsigned char>(out.back()) & 0xc0) == 0xc0;
            out.pop_back();
            if (lead) break;
        }
        out += "…";
    }
    return out + "'";
}

}  // namespace scrollgate::config
