// Routes: match, where to, and what changes on the way.
#include <algorithm>
#include <array>

#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

constexpr std::size_t longest_body = 1 * limits::MiB;

std::string wrong_name(const std::string& name) {
    if (name.empty()) return "an empty name";
    if (name.size() > 200) return "longer than 200 bytes";
    return {};
}

std::string wrong_redirect(const std::string& to) {
    const bool absolute = to.starts_with("http://") || to.starts_with("https://") ||
                          to.starts_with("{scheme}://") || to.starts_with("/") ||
                          to.starts_with("{path}") || to.starts_with("{uri}");
    if (!absolute)
        return fmt::format(
            "{} is not a target; write a path such as /new{{path}} or a URL such as "
            "https://{{host}}{{uri}}",
            quoted(to));
    for (const char c : to)
        if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
            return fmt::format(
                "{} holds a blank or a character beyond ASCII; write it "
                "percent-encoded",
                quoted(to));
    for (std::size_t open = to.find('{'); open != to.npos; open = to.find('{', open + 1)) {
        const std::size_t close = to.find('}', open);
        const std::string name =
            close == to.npos ? to.substr(open + 1) : to.substr(open + 1, close - open - 1);
        const std::vector<std::string_view> known = {"scheme", "host", "path", "query", "uri"};
        if (close == to.npos || std::find(known.begin(), known.end(), name) == known.end())
            return fmt::format(
                "unknown placeholder {}; use {{scheme}} {{host}} {{path}} {{query}} "
                "{{uri}}{}",
                quoted("{" + name + (close == to.npos ? "" : "}")), did_you_mean(name, known));
    }
    return {};
}

std::string wrong_type(const std::string& type) {
    const std::size_t slash = type.find('/');
    if (slash == 0 || slash == type.npos || slash + 1 == type.size() ||
        !is_token(type.substr(0, slash)))
        return fmt::format("{} is not a media type; write for example application/json",
                           quoted(type));
    return {};
}

std::string wrong_rewrite_target(const std::string& to) {
    for (const char c : to)
        if (c == '?' || c == '#' || static_cast<unsigned char>(c) <= 0x20 ||
            static_cast<unsigned char>(c) >= 0x7f)
            return fmt::format(
                "{} is not a path: it holds '?', '#', a blank or a character beyond "
                "ASCII",
                quoted(to));
    return {};
}

Codec<std::string> body_text() {
    Codec<std::string> codec = text("text", "hello");
    codec.read = [](Reader& reader, const Value& value, std::string& into) {
        auto given = reader.scalar(value, "hello");
        if (!given) return;
        if (given->size() > longest_body)
            return reader.error(value, fmt::format("longer than {}", size_text(longest_body)));
        into = std::move(*given);
    };
    codec.range = "up to " + size_text(longest_body);
    return codec;
}

Codec<std::uint16_t> redirect_status() {
    return choice<std::uint16_t>(
        {{"301", 301}, {"302", 302}, {"303", 303}, {"307", 307}, {"308", 308}});
}

const Table<Rewrite>& rewrite_table() {
    static const Table<Rewrite> table = [] {
        auto to = key("to", &Rewrite::to, text("text", "/v2/\\1", wrong_rewrite_target),
                      "the replacement; \\0 is the match, \\1 … \\9 its groups", "none");
        to.write = [](const Rewrite& rewrite) {
            return rewrite.regex.empty() ? nullptr : text_value(rewrite.to);  // may be empty
        };
        return Table<Rewrite>{
            key("strip_prefix", &Rewrite::strip_prefix,
                unless_empty(text("path", "/metadata", wrong_path)),
                "removed from the path, on segment borders", "none"),
            key("regex", &Rewrite::regex,
                unless_empty(text("RE2 pattern", "^/v1/(.*)", wrong_regex)),
                "its first match in the path is replaced by `to`", "none"),
            std::move(to),
        };
    }();
    return table;
}

const Table<Redirect>& redirect_table() {
    static const Table<Redirect> table = {
        required(key("to", &Redirect::to,
                     text("URL or path", "https://{host}{uri}", wrong_redirect),
                     "may hold {scheme} {host} {path} {query} {uri}")),
        key("status", &Redirect::status, redirect_status(), "301 and 302 may turn POST into GET"),
    };
    return table;
}

const Table<Respond>& respond_table() {
    static const Table<Respond> table = {
        key("status", &Respond::status, count<std::uint16_t>(200, 599), "status of the answer"),
        key("body", &Respond::body, body_text(), "its body"),
        key("content_type", &Respond::content_type,
            text("media type", "application/json", wrong_type), "its Content-Type"),
    };
    return table;
}

}  // namespace

const Table<Route>& route_table() {
    static const Table<Route> table = {
        key("name", &Route::name, text("name", "metadata", wrong_name),
            "unique; log, statistics and metrics go by it", "the match in words"),
        key("match", &Route::match, section(match_table(), "{ path_prefix: /metadata }"),
            "all that is asked for must hold; nothing asked for: every request"),
        key("pools", &Route::pools, route_pools(),
            "where requests go; a route has pools, redirect or respond"),
        key("balance", &Route::balance, balance(), "how an endpoint is picked, by weight"),
        key("nearness", &Route::nearness, nearness(),
            "what the way from self counts: nothing, between equals, or near ones first"),
        key("hash", &Route::hash, hash(), "what consistent_hash goes by"),
        key("sticky", &Route::sticky, sticky(),
            "by a cookie, a client stays with one endpoint while that is well"),
        key("failover", &Route::failover, failover(), "what happens after a failed attempt"),
        key("timeouts", &Route::timeouts, section(route_timeouts_table(), "{ request: 20s }"),
            "instead of those of the process"),
        key("request_headers", &Route::request_headers,
            section(request_headers_table(), "{ set: { X-Env: prod } }"),
            "changes on the way to the endpoint"),
        key("response_headers", &Route::response_headers,
            section(response_headers_table(), "{ remove: [ Server ] }"),
            "changes on the way to the client"),
        key("rewrite", &Route::rewrite,
            optional(section(rewrite_table(), "{ strip_prefix: /metadata }")),
            "the path that is forwarded: strip_prefix, or regex and to"),
        key("redirect", &Route::redirect,
            optional(section(redirect_table(), "{ to: \"https://{host}{uri}\" }")),
            "the whole route answers with a redirect"),
        key("respond", &Route::respond,
            optional(section(respond_table(), "{ status: 200, body: hello }")),
            "the whole route answers by itself"),
        key("https_redirect", &Route::https_redirect, https_redirect(),
            "send plain requests to https://, at port 443 or this one, with 308"),
        key("hsts", &Route::hsts, section_or_off(hsts_table(), "{ max_age: 365d }"),
            "Strict-Transport-Security on answers over https", "off"),
        key("raw_path", &Route::raw_path, on_off(),
            "forward the path's bytes as received instead of the normalised form"),
        key("via", &Route::via, on_or_off(), "add Via to what is forwarded, both ways"),
        key("cache", &Route::cache, route_cache(),
            "responses may be stored and answered from the cache; off: they are not"),
    };
    return table;
}

}  // namespace scrollgate::config
