#include "proxy/caching/url_route.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "cache/store/key_place.hpp"
#include "config/scalars.hpp"
#include "core/net/address.hpp"
#include "proxy/routing/path.hpp"

namespace scrollgate {
namespace {

// No partition, for none that is configured is empty; a host, so that purges can name it.
constexpr std::string_view hand_place = "\nhttp\n_cache\n";

/// What a client would send for `url`, with `fields`.
RequestHead head_of(const PlainUrl& url, const HeaderList& fields) {
    RequestHead head;
    head.method = Method::get;
    head.method_text = "GET";
    head.authority = url.authority;
    head.path = url.path;
    head.target = url.path;
    head.has_query = !url.query.empty();
    if (head.has_query) head.query = std::string_view(url.query).substr(1);
    head.fields.add(Field::host, url.authority);
    for (const HeaderField& field : fields)
        head.fields.add(field.name, field.value, field.id);
    return head;
}

/// The path of `url` that `route` forwards; nothing if its rewrite refuses it.
std::optional<std::string> forwarded(const RouteRuntime& route, const PlainUrl& url) {
    const std::string& path = route.route->raw_path ? url.raw_path : url.path;
    if (!route.rewrite) return path;
    std::string storage;
    const Result<std::string_view> made = route.rewrite->apply(path, storage);
    if (!made) return std::nullopt;
    return std::string(*made);
}

/// False: `route` takes no request for `url`. What is not seen at a glance may be taken.
bool may_take(const RouteRuntime& route, const PlainUrl& url) {
    const config::Match& match = route.route->match;
    const std::string_view authority = url.authority;
    if (!match.host.empty() && !authority.starts_with('[')) {
        const std::string_view host = authority.substr(0, authority.rfind(':'));
        const bool below = match.host.starts_with("*.");
        if (below && !host.ends_with(match.host.substr(1))) return false;
        if (!below && host != match.host) return false;
    }
    const std::string& path = match.path_exact.empty() ? match.path_prefix : match.path_exact;
    const bool spelled =
        path.find('%') == path.npos && path.find("/.") == path.npos && path.find("//") == path.npos;
    return !spelled || url.path.starts_with(path);
}

/// What a route with a cache may have stored `url` as.
void add_targets(const RouteRuntime& route, const PlainUrl& url, std::vector<std::string>& all) {
    const std::optional<std::string> path = forwarded(route, url);
    if (!path) return;
    Arena arena;
    for (const std::string& one : {*path + url.query, url.path + url.query})
        add_once(all, std::string(counting_target(one, route.cache->key, arena)));
}

std::string wrong_authority(std::string_view authority) {
    const auto parsed = parse_host_port(authority);
    if (authority.empty()) return "the host is missing; write for example http://a.example/x?y";
    if (authority.find('@') != authority.npos) return "a user name or password is not possible";
    if (!parsed || parsed->host.empty())
        return fmt::format("{} is not a host", config::quoted(authority));
    return {};
}

}  // namespace

std::string_view scheme_of(const PlainUrl& url) noexcept {
    return url.scheme.empty() ? std::string_view("http") : std::string_view(url.scheme);
}

PlainUrl plain_url(std::string_view url) {
    PlainUrl made;
    if (const std::size_t end = url.find("://"); end != url.npos && end < url.find('/')) {
        made.scheme = config::in_lower_case(std::string(url.substr(0, end)));
        if (made.scheme != "http" && made.scheme != "https") {
            made.wrong = fmt::format("{} is not http or https", config::quoted(made.scheme));
            return made;
        }
        url.remove_prefix(end + 3);
    }
    const std::size_t slash = std::min(url.find_first_of("/?#"), url.size());
    const std::string_view authority = url.substr(0, slash);
    made.wrong = wrong_authority(authority);
    if (!made.wrong.empty()) return made;
    std::string_view rest = url.substr(slash);
    if (rest.find('#') != rest.npos) {
        made.wrong = "a fragment ('#') is never sent; leave it out";
        return made;
    }
    if (rest.size() > limits::uri_bytes_max) {
        made.wrong = "longer than a request target may be";
        return made;
    }
    const std::size_t mark = std::min(rest.find('?'), rest.size());
    std::string storage;
    const Result<std::string_view> path = normalise_path(rest.substr(0, mark), storage);
    const std::string_view query = rest.substr(mark);
    const bool strange = std::any_of(query.begin(), query.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f;
    });
    if (!path || strange) {
        made.wrong = fmt::format(
            "{} is not a path and query; write blanks and the like "
            "percent-encoded",
            config::quoted(rest));
        return made;
    }
    Arena arena;
    made.authority = canonical_authority(scheme_of(made), authority, arena);
    if (made.authority.empty())
        made.wrong = fmt::format("{} is not a host", config::quoted(authority));
    made.path = *path;
    made.raw_path = mark == 0 ? made.path : std::string(rest.substr(0, mark));
    made.query = query;
    return made;
}

UrlRoute route_url(const Snapshot& snapshot, const PlainUrl& url, const HeaderList& fields) {
    UrlRoute made;
    const RequestHead head = head_of(url, fields);
    for (const config::Listener& listener : snapshot.config->listeners) {
        const auto index = snapshot.router.find(listener.name, url.path, head);
        if (!index) continue;
        const RouteRuntime& route = snapshot.routes[*index];
        if (made.route != nullptr && route.cache == nullptr) continue;
        made.route = &route;
        made.listener = listener.name;
        if (route.cache != nullptr) break;
    }
    if (made.route == nullptr) return made;
    Arena arena;
    if (made.route->cache != nullptr && is_hand_path(*made.route->cache, url.path)) {
        made.target = url.path + url.query;
        made.target = std::string(counting_target(made.target, made.route->cache->key, arena));
        make_hand_key(made.target, made.key);
        return made;
    }
    const std::optional<std::string> path = forwarded(*made.route, url);
    if (!path) return made;
    made.target = *path + url.query;
    if (made.route->cache == nullptr) return made;
    made.target = std::string(counting_target(made.target, made.route->cache->key, arena));
    made.reason = make_key(*made.route->cache, scheme_of(url), head, made.target, arena, made.key);
    if (made.reason != CacheReason::none) made.key.text.clear();
    return made;
}

std::vector<std::string> stored_targets(const Snapshot& snapshot, const PlainUrl& url) {
    std::vector<std::string> targets{url.path + url.query};
    for (const RouteRuntime& route : snapshot.routes)
        if (route.cache != nullptr) add_targets(route, url, targets);
    return targets;
}

std::vector<std::string> targets_of(const Snapshot& snapshot, const PlainUrl& url) {
    std::vector<std::string> targets;
    for (const RouteRuntime& route : snapshot.routes)
        if (route.cache != nullptr && may_take(route, url)) add_targets(route, url, targets);
    return targets;
}

void add_once(std::vector<std::string>& all, std::string one) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
}

std::vector<std::string> stored_prefixes(const Snapshot& snapshot, const PlainUrl& url) {
    std::vector<std::string> prefixes{url.path + url.query};
    for (const RouteRuntime& route : snapshot.routes) {
        if (route.cache == nullptr) continue;
        if (route.route->raw_path) add_once(prefixes, url.raw_path + url.query);
        if (!route.rewrite) continue;
        const std::string& strip = route.route->rewrite->strip_prefix;
        // What a regex makes of the rest is not known, nor what is left of a shorter prefix.
        const bool unknown = strip.empty() || strip.starts_with(url.path);
        const std::optional<std::string> path = forwarded(route, url);
        if (unknown || !path)
            add_once(prefixes, "/");
        else
            add_once(prefixes, *path + url.query);
    }
    return prefixes;
}

std::string url_of_key(const Snapshot& snapshot, std::string_view key) {
    const CacheKeyParts parts = parts_of(key);
    const auto leads_there = [&](const std::string& url) {
        const PlainUrl plain = plain_url(url);
        return plain.wrong.empty() && route_url(snapshot, plain).key.text == key;
    };
    for (const RouteRuntime& route : snapshot.routes) {
        if (route.cache == nullptr || route.cache->partition != parts.partition) continue;
        std::string prefix;
        if (route.route->rewrite) prefix = route.route->rewrite->strip_prefix;
        while (prefix.ends_with('/'))
            prefix.pop_back();
        std::string url =
            fmt::format("{}://{}{}{}", parts.scheme, parts.authority, prefix, parts.target);
        if (leads_there(url)) return url;
    }
    return {};
}

void make_hand_key(std::string_view target, CacheKey& into) {
    into.text.assign(hand_place);
    if (into.text.size() + target.size() <= limits::cache_key) into.text.append(target);
    into.hash = place_of(into.text).hash;
}

bool is_hand_key(std::string_view key) noexcept {
    return key.starts_with(hand_place);
}

bool is_hand_path(const config::RouteCache& route, std::string_view path) noexcept {
    return route.entries && path.starts_with(hand_prefix);
}

std::string hand_target(std::string_view bare_key) {
    constexpr std::string_view plain = "-._~!$&'()*+,;=:@/";
    std::string encoded(hand_prefix);
    for (const char c : bare_key) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || plain.find(c) != plain.npos)
            encoded += c;
        else
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    std::string storage;
    const Result<std::string_view> path = normalise_path(encoded, storage);
    if (!path || !path->starts_with(hand_prefix) || path->size() == hand_prefix.size()) return {};
    if (path->size() > limits::uri_bytes) return {};
    return std::string(*path);
}

}  // namespace scrollgate
