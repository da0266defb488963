#include "proxy/admin/path_pattern.hpp"

#include <fmt/format.h>

#include "core/percent.hpp"

namespace scrollgate {
namespace {

std::string_view take_segment(std::string_view& rest) {
    const std::size_t end = rest.find('/');
    const std::string_view segment = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return segment;
}

}  // namespace

std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   std::string_view path) {
    if (path.ends_with('/')) return std::nullopt;
    std::vector<std::string> values;
    while (!pattern.empty() && !path.empty()) {
        const std::string_view wanted = take_segment(pattern);
        const std::string_view segment = take_segment(path);
        if (!wanted.starts_with('{')) {
            if (wanted != segment) return std::nullopt;
            continue;
        }
        std::optional<std::string> value = unescaped(segment);
        if (!value || value->empty()) return std::nullopt;
        values.push_back(std::move(*value));
    }
    if (!pattern.empty() || !path.empty()) return std::nullopt;
    return values;
}

std::string path_segment(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool plain = letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                           c == '~' || c == ':';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace scrollgate
