// What only the whole file can tell about caching: what does not fit, who shares with whom, and
// whether what is to be warmed can be stored at all.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>

#include "config/sections/tables.hpp"
#include "config/suggest.hpp"
#include "config/url.hpp"
#include "config/validate.hpp"

namespace scrollgate::config {
namespace {

bool starts_with_segments(std::string_view path, std::string_view prefix) {
    if (!path.starts_with(prefix)) return false;
    return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

bool host_matches(std::string_view pattern, std::string_view host) {
    if (pattern.empty() || pattern == host) return true;
    return pattern.starts_with("*.") && host.size() > pattern.size() - 1 &&
           host.ends_with(pattern.substr(1));
}

bool path_matches(const Match& match, std::string_view path) {
    if (!match.path_exact.empty()) return path == match.path_exact;
    if (!match.path_prefix.empty()) return starts_with_segments(path, match.path_prefix);
    if (match.path_regex.empty()) return true;
    const RE2 regex(match.path_regex, RE2::Quiet);
    return regex.ok() && RE2::FullMatch(re2::StringPiece(path.data(), path.size()), regex);
}

/// Is there a parameter `name=value` in `query`?
bool query_has(std::string_view query, const std::string& name, const std::string& value) {
    const std::string wanted = fmt::format("{}={}", name, value);
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        if (query.substr(0, end) == wanted) return true;
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return false;
}

/// Has it a form that the proxy would rewrite first, or that is compared decoded?
bool needs_normalising(std::string_view target) {
    return target.find('%') != target.npos || target.find("/.") != target.npos ||
           target.find("//") != target.npos || target.find('\\') != target.npos ||
           target.find('+') != target.npos;
}

std::set<std::string_view> pools_of(const Route& route) {
    std::set<std::string_view> names;
    for (const RoutePool& pool : route.pools)
        names.insert(pool.name);
    return names;
}

/// The route that takes a plain GET of `target` (path and query) at `host`, as far as the file
/// alone tells; nullptr: none. `target` has nothing that would be normalised.
const Route* route_of_url(const std::vector<Route>& routes, std::string_view host,
                          std::string_view target) {
    const std::size_t mark = std::min(target.find('?'), target.size());
    const std::string_view path = target.substr(0, mark);
    const std::string_view query = mark < target.size() ? target.substr(mark + 1) : "";
    for (const Route& route : routes) {
        const Match& match = route.match;
        const auto& methods = match.methods;
        if (!methods.empty() && std::find(methods.begin(), methods.end(), "GET") == methods.end())
            continue;
        const bool asked =
            std::all_of(match.query.begin(), match.query.end(),
                        [&](const auto& one) { return query_has(query, one.first, one.second); });
        if (match.headers.empty() && asked && host_matches(match.host, host) &&
            path_matches(match, path))
            return &route;
    }
    return nullptr;
}

/// In what they differ that an answer may depend on, though nothing in the key does; empty:
/// nothing.
std::string_view differs(const Route& a, const Route& b) {
    if (!(a.request_headers == b.request_headers)) return "request_headers";
    if (a.cache.store_set_cookie != b.cache.store_set_cookie) return "cache.store_set_cookie";
    if (a.cache.entries != b.cache.entries) return "cache.entries";
    return {};
}

}  // namespace

void Validator::cache() {
    const Cache& cache = config_.cache;
    const std::uint64_t most = cache.memory / limits::cache_objects_least;
    if (cache.memory != 0 && cache.max_object > most && !reported("cache"))
        error("cache.max_object", fmt::format("{} is more than a quarter of memory ({})",
                                              size_text(cache.max_object), size_text(most)));
    if (reader_.present("cache.hottest.count") && cache.hottest_file.empty() &&
        !reported("cache.hottest"))
        error("cache.hottest", "file is missing: where the URLs are remembered");
    redis();
    if (reported("routes")) return;
    cache_partitions();
    cache_warm();
}

/// Two routes to different pools never share an object.
void Validator::cache_partitions() {
    std::map<std::string_view, std::size_t> first;
    for (std::size_t i = 0; i < config_.routes.size(); ++i) {
        const config::Route& route = config_.routes[i];
        if (!route.cache.enabled) continue;
        const auto [seen, fresh] = first.emplace(route.cache.partition, i);
        if (fresh) continue;
        const config::Route& other = config_.routes[seen->second];
        if (pools_of(route) == pools_of(other)) {
            if (const std::string_view key = differs(route, other); !key.empty())
                warning(fmt::format("routes[{}].{}", i, key),
                        fmt::format("is not as in routes[{}] ({}), with which it shares what is "
                                    "stored as {}",
                                    seen->second, other.name, quoted(route.cache.partition)));
            continue;
        }
        const bool named = reader_.present(fmt::format("routes[{}].cache.partition", i));
        error(fmt::format("routes[{}].cache.partition", named ? i : seen->second),
              fmt::format("routes[{}] ({}) and routes[{}] ({}) would share what is stored as {}, "
                          "though they have different pools",
                          seen->second, other.name, i, route.name, quoted(route.cache.partition)));
    }
}

/// Each URL that is to be warmed has a route, and that has a cache.
void Validator::cache_warm() {
    static const std::vector<Scheme> schemes = {{"http", 80, true}, {"https", 443, true}};
    const auto caches = [](const config::Route& route) { return route.cache.enabled; };
    const bool any = std::any_of(config_.routes.begin(), config_.routes.end(), caches);
    for (std::size_t i = 0; i < config_.cache.warm.size(); ++i) {
        const WarmSet& set = config_.cache.warm[i];
        const std::string path = fmt::format("cache.warm[{}]", i);
        if (reported(path)) continue;
        if (!any) {
            error(path, "no route has a cache; set routes[].cache.enabled");
            continue;
        }
        for (std::size_t u = 0; u < set.urls.size(); ++u) {
            const auto url = parse_url(set.urls[u], schemes, "http://www.example/");
            if (!url.value || needs_normalising(url.value->path)) continue;
            const std::string host = in_lower_case(url.value->host);
            const config::Route* route = route_of_url(config_.routes, host, url.value->path);
            const std::string at = fmt::format("{}.urls[{}]", path, u);
            if (route == nullptr)
                error(at, fmt::format("no route takes {}", quoted(set.urls[u])));
            else if (!route->cache.enabled)
                error(at, fmt::format("the route that takes it, {}, has no cache",
                                      quoted(route->name)));
        }
    }
}

void Validator::route_cache(const config::Route& route, const std::string& path) {
    if (reported(path)) return;
    const RouteCache& cache = route.cache;
    const auto given = [&](const std::string& key) {
        const std::string at = fmt::format("{}.{}", path, key);
        return reader_.present(at) && !reader_.from_defaults(at);
    };
    if (!cache.enabled) {
        for (const char* key :
             {"default_ttl", "heuristics", "stale_while_revalidate", "stale_if_error",
              "stale_if_slow", "store_set_cookie", "entries", "partition", "key"})
            if (given(key) && !reader_.present(path + ".enabled"))
                return warning(path, "has no effect without enabled: true");
        return;
    }
    if (config_.cache.memory == 0)
        return error(path + ".enabled", "cache: off leaves no memory for it");
    if (route.pools.empty() && given("enabled"))
        return error(path, fmt::format("a route with {} has nothing to store",
                                       route.redirect ? "redirect" : "respond"));
    const auto& methods = route.match.methods;
    const bool reads = methods.empty() || std::any_of(methods.begin(), methods.end(), [](auto& m) {
                           return m == "GET" || m == "HEAD";
                       });
    if (!reads && given("enabled"))
        warning(path, "has no effect: answers to GET are stored, and this route takes none");
}

}  // namespace scrollgate::config
