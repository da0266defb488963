// What a route matches.
#include <algorithm>

#include <re2/re2.h>

#include "config/sections/tables.hpp"
#include "core/percent.hpp"

namespace scrollgate::config {
namespace {

/// Unreserved in RFC 3986 2.3: never escaped in a normalised path.
bool is_unreserved(unsigned c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/// Routes see the normalised path; what is not in that form would silently never match.
std::string wrong_escapes(std::string_view path) {
    for (std::size_t i = 0; i < path.size(); ++i) {
        const auto plain = static_cast<unsigned char>(path[i]);
        if (plain >= 0x80)
            return fmt::format(
                "{} never matches: other than ASCII comes percent-encoded; write "
                "%{:02X} for the first such byte",
                quoted(path), plain);
        if (path[i] != '%') continue;
        const int escaped = escape_at(path, i);
        if (escaped < 0) return fmt::format("{} holds a '%' without two hex digits", quoted(path));
        const std::string_view escape = path.substr(i, 3);
        const auto byte = static_cast<unsigned>(escaped);
        if (is_unreserved(byte))
            return fmt::format("{} never matches: paths are normalised first; write {} for {}",
                               quoted(path), static_cast<char>(byte), escape);
        if (escape.find_first_of("abcdef") != escape.npos)
            return fmt::format("{} never matches: paths are normalised first; write %{:02X} for {}",
                               quoted(path), byte, escape);
        if (byte == 0 || byte == '\\')
            return fmt::format("{} never matches: {} in a path is refused", quoted(path), escape);
    }
    return {};
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::string_view segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..") return true;
        path.remove_prefix(segment.size());
    }
    return false;
}

std::string wrong_method(const std::string& method) {
    if (!is_token(method)) return fmt::format("{} is not a method", quoted(method));
    if (method == "CONNECT" || method == "TRACE")
        return fmt::format("{} never matches: the proxy refuses it always", method);
    std::string upper = method;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    for (const std::string_view known :
         {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
        if (upper == known && method != known)
            return fmt::format("{} never matches: methods are case-sensitive (did you mean {}?)",
                               quoted(method), known);
    return {};
}

/// Lower case, without a trailing dot; "*" becomes empty.
Parsed<std::string> parse_host_pattern(std::string text) {
    const auto wrong = [&](std::string_view words) {
        return refuse<std::string>(fmt::format("{} {}", quoted(text), words));
    };
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (text == "*") return {std::string(), {}};
    if (text.find("://") != text.npos) return wrong("is a URL; write only the host");
    std::string_view host = text;
    if (host.starts_with("*.")) host.remove_prefix(2);
    if (host.find('*') != host.npos)
        return wrong(
            "is not possible; a '*' can only stand for whole labels at the start: "
            "\"*.example.com\"");
    const auto parsed = parse_host_port(host);
    if (!parsed || parsed->host.empty())
        return wrong("is not a host; write for example app.example.com or \"*.example.com\"");
    if (host.size() != parsed->host.size() && !host.ends_with(']'))
        return wrong("holds a port; hosts are compared without it");
    if (text.ends_with('.')) text.pop_back();
    return {std::move(text), {}};
}

Codec<std::string> host_pattern() {
    Codec<std::string> codec = text("host or *.host", "app.example.com");
    codec.read = [](Reader& reader, const Value& value, std::string& into) {
        const auto given = reader.scalar(value, "app.example.com");
        if (!given) return;
        auto parsed = parse_host_pattern(*given);
        if (!parsed.value) return reader.error(value, parsed.wrong);
        into = std::move(*parsed.value);
    };
    codec.write = [](const std::string& host) { return host.empty() ? nullptr : text_value(host); };
    return codec;
}

std::string wrong_listener(const std::string& name) {
    return name.empty() ? "an empty name" : "";
}

}  // namespace

std::string wrong_path(const std::string& path) {
    if (!path.starts_with('/'))
        return fmt::format(
            "{} does not start with '/'{}", quoted(path),
            path.find("://") != path.npos ? "; the host belongs under match.host" : "");
    if (path.size() > limits::uri_bytes_max) return "longer than any request target may be";
    if (path.find_first_of("?#") != path.npos)
        return fmt::format("{} holds a query or fragment; for queries see match.query",
                           quoted(path));
    if (path.find_first_of(" \\") != path.npos)
        return fmt::format("{} never matches: blanks and backslashes cannot stand in a path",
                           quoted(path));
    if (has_dot_segment(path))
        return fmt::format("{} never matches: dot segments are removed from paths first",
                           quoted(path));
    return wrong_escapes(path);
}

std::string wrong_regex(const std::string& pattern) {
    if (pattern.empty()) return "an empty pattern";
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 compiled(pattern, options);
    if (compiled.ok()) return {};
    return fmt::format("{} is not a regular expression (RE2): {}", quoted(pattern),
                       compiled.error());
}

const Table<Match>& match_table() {
    static const Table<Match> table = {
        key("listener", &Match::listener, unless_empty(text("name", "plain", wrong_listener)),
            "only requests that came in on this listener", "any"),
        key("host", &Match::host, host_pattern(),
            "the request's host, without port and case; *.example.com is any name below it", "any"),
        key("path_prefix", &Match::path_prefix, unless_empty(text("path", "/metadata", wrong_path)),
            "normalised path, on segment borders: /a matches /a and /a/b, not /ab", "any"),
        key("path_exact", &Match::path_exact, unless_empty(text("path", "/metadata", wrong_path)),
            "normalised path, the whole of it", "any"),
        key("path_regex", &Match::path_regex,
            unless_empty(text("RE2 pattern", "/v[0-9]+/.*", wrong_regex)),
            "the whole normalised path matches the pattern", "any"),
        key("methods", &Match::methods, list(text("methods", "GET", wrong_method), "[ GET, HEAD ]"),
            "one of these", "any"),
        key("headers", &Match::headers, pairs("map of names to values", wrong_request_field, false),
            "all of these fields have this value", "any"),
        key("query", &Match::query, pairs("map of names to values", wrong_query_name, false),
            "all of these query parameters have this value", "any"),
    };
    return table;
}

std::string in_words(const Match& match) {
    std::string words;
    const auto add = [&](std::string_view what, std::string_view value) {
        if (value.empty()) return;
        if (!words.empty()) words += ' ';
        words += fmt::format("{}={}", what, value);
    };
    add("listener", match.listener);
    add("host", match.host);
    add("path_prefix", match.path_prefix);
    add("path_exact", match.path_exact);
    add("path_regex", match.path_regex);
    add("methods", fmt::format("{}", fmt::join(match.methods, ",")));
    for (const auto& [name, value] : match.headers)
        add("header", name + ":" + value);
    for (const auto& [name, value] : match.query)
        add("query", name + "=" + value);
    return words.empty() ? "any" : words;
}

}  // namespace scrollgate::config
