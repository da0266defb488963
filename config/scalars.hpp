// The small languages inside scalars: durations, sizes, whole numbers, percentages, switches.
// Every refusal shows a value that would have been right. Stateless, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace scrollgate::config {

/// A value, or what is wrong with the text.
template <class T>
struct Parsed {
    std::optional<T> value;
    std::string wrong;  ///< without a place; set if there is no value
};

template <class T>
[[nodiscard]] Parsed<T> refuse(std::string wrong) {
    return {std::nullopt, std::move(wrong)};
}

/// "250ms", "5s", "1h30m": whole numbers with d, h, m, s or ms, each unit once, falling. "0" needs
/// no unit. At most 365 days. `none` is the caller's business.
[[nodiscard]] Parsed<Duration> parse_duration(std::string_view text);

/// "64KiB", "10MB", "512B": a whole number and a unit (B, KiB … TiB, kB … TB). "0" needs no unit.
[[nodiscard]] Parsed<std::uint64_t> parse_size(std::string_view text);

/// Decimal digits within [least, most].
[[nodiscard]] Parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t least,
                                                std::uint64_t most);

/// "0%" to "100%", whole.
[[nodiscard]] Parsed<unsigned> parse_percent(std::string_view text);

/// true, on, yes | false, off, no.
[[nodiscard]] Parsed<bool> parse_switch(std::string_view text);

/// The shortest text that reads back as `value`: "75s", "1h", "none" for no_limit.
[[nodiscard]] std::string duration_text(Duration value);

/// "32KiB", "none" for limits::unlimited.
[[nodiscard]] std::string size_text(std::uint64_t value);

/// "100", "none" for limits::unlimited.
[[nodiscard]] std::string count_text(std::uint64_t value);

/// A token of RFC 9110 5.6.2: what a method or a header field name is made of.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// `text` with ASCII letters in lower case.
[[nodiscard]] std::string in_lower_case(std::string text);

/// Has a byte below 0x20 (tab included) or 0x7f.
[[nodiscard]] bool has_control(std::string_view text) noexcept;

/// `text` with control bytes written as \xNN, so that it stays on one line.
[[nodiscard]] std::string visible(std::string_view text);

/// `text` in single quotes, shortened and with control bytes made visible, for messages.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace scrollgate::config
