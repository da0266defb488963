#include "proxy/admin/asked_fields.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/scalars.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

/// Visible text, blanks and bytes beyond ASCII (RFC 9110 section 5.5).
bool is_value(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

std::string wrong_with(std::string_view line) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    if (colon == line.size() || !config::is_token(name))
        return fmt::format("{} is not a header; write it as 'Name: value'", config::quoted(line));
    if (line.size() > limits::cache_key) return fmt::format("the value of {} is too long", name);
    if (!is_value(line.substr(colon + 1)))
        return fmt::format("the value of {} has a control character", name);
    if (equal_no_case(name, "host")) return "Host is part of the URL";
    return {};
}

}  // namespace

AskedFields asked_fields(std::vector<std::string> lines) {
    AskedFields made;
    made.lines = std::move(lines);
    if (made.lines.size() > asked_fields_most)
        made.wrong = fmt::format("more than {} headers", asked_fields_most);
    for (const std::string& line : made.lines) {
        if (made.wrong.empty()) made.wrong = wrong_with(line);
        if (!made.wrong.empty()) break;
        const std::string_view text(line);
        const std::size_t colon = text.find(':');
        made.fields.add(text.substr(0, colon), trim(text.substr(colon + 1)));
    }
    return made;
}

}  // namespace scrollgate
