#include "config/environment.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "config/text_check.hpp"

namespace scrollgate::config {
namespace {

bool is_name(std::string_view name) {
    const auto letter = [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// What stands for "${inside}".
Parsed<std::string> value_of(std::string_view inside) {
    const std::size_t dash = inside.find(":-");
    const std::string name(inside.substr(0, dash));
    if (!is_name(name))
        return refuse<std::string>(fmt::format(
            "${{{}}}: not a variable's name; write ${{NAME}}, ${{NAME:-default}}, or $${{ for a "
            "literal ${{",
            inside));
    const char* value = std::getenv(name.c_str());
    if (dash != inside.npos && (value == nullptr || *value == '\0'))
        return {std::string(inside.substr(dash + 2)), {}};
    if (value == nullptr)
        return refuse<std::string>(
            fmt::format("the environment variable {} is not set; set it, or "
                        "give a default: ${{{}:-value}}",
                        name, name));
    if (!is_utf8(value))
        return refuse<std::string>(
            fmt::format("the environment variable {} does not hold UTF-8", name));
    return {std::string(value), {}};
}

}  // namespace

Parsed<std::string> expand_variables(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t at = text.find("${");
        if (at == text.npos) break;
        if (at > 0 && text[at - 1] == '$') {
            out += text.substr(0, at - 1);
            out += "${";
            text.remove_prefix(at + 2);
            continue;
        }
        out += text.substr(0, at);
        const std::size_t close = text.find('}', at);
        if (close == text.npos)
            return refuse<std::string>("a ${ without its }; write $${ for a literal ${");
        const std::string_view inside = text.substr(at + 2, close - at - 2);
        if (inside.find("${") != inside.npos)
            return refuse<std::string>("one ${…} inside another is not possible");
        Parsed<std::string> value = value_of(inside);
        if (!value.value) return value;
        out += *value.value;
        text.remove_prefix(close + 1);
    }
    out += text;
    return {std::move(out), {}};
}

std::string escape_variables(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("${")) out += '$';
        out += text[i];
    }
    return out;
}

}  // namespace scrollgate::config
