// Small operations on text that several rooms need.
#pragma once

#include <string_view>

namespace scrollgate {

/// Without surrounding spaces and tabs (OWS, RFC 9110 section 5.6.3).
[[nodiscard]] inline std::string_view trim(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// Takes the last element off a comma-separated list (RFC 9110 section 5.6.1), trimmed; `list`
/// keeps what is before it. An empty list gives an empty element.
[[nodiscard]] inline std::string_view pop_last_in_list(std::string_view& list) noexcept {
    const std::size_t comma = list.rfind(',');
    const std::string_view last = comma == std::string_view::npos ? list : list.substr(comma + 1);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
    return trim(last);
}

/// Takes the first element off a comma-separated list likewise.
[[nodiscard]] inline std::string_view pop_first_in_list(std::string_view& list) noexcept {
    const std::size_t comma = list.find(',');
    const std::string_view first = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    return trim(first);
}

}  // namespace scrollgate
