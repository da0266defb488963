// docs/CONFIG.md's tables, from the schema alone.
#include <iterator>

#include <fmt/format.h>

#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

/// A default that one could write stands as code, words about it do not.
std::string shown_default(const KeyInfo& key) {
    const std::string& text = key.default_value;
    if (text.empty() || key.required || text.find(' ') != text.npos) return cell(text);
    return fmt::format("`{}`", cell(text));
}

/// One table for the keys at `place`, then one for each section below it.
void append_section(std::string& out, const std::string& place, const std::vector<KeyInfo>& keys) {
    const std::string prefix = place.empty() ? "" : place + ".";
    fmt::format_to(std::back_inserter(out), "\n### {}\n\n",
                   place.empty() ? "The file" : fmt::format("`{}`", place));
    out += "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";
    for (const KeyInfo& key : keys) {
        fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} | {} |\n", key.name,
                       cell(key.type), shown_default(key), cell(key.range), cell(key.doc));
    }
    for (const KeyInfo& key : keys) {
        if (key.children.empty()) continue;
        std::string below = prefix + key.name;
        if (key.below == "*")
            below += ".*";
        else
            below += key.below;
        append_section(out, below, key.children);
    }
}

}  // namespace

std::string reference_markdown() {
    std::string out;
    append_section(out, "", root_info().children);
    return out;
}

}  // namespace scrollgate::config
