#include "proxy/caching/invalidate.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cache/rules/invalidation.hpp"
#include "proxy/caching/lookup.hpp"
#include "proxy/caching/url_route.hpp"
#include "proxy/routing/path.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

Purge purge_of(const UrlParts& url, std::string_view target) {
    Purge purge;
    purge.by = Purge::By::url;
    purge.what.append(url.authority).append(target);
    purge.scheme = url.scheme;
    purge.counted = false;
    return purge;
}

/// The URL of the request, as clients write it.
PlainUrl own_url(const Exchange& x, const UrlParts& own) {
    PlainUrl url;
    url.authority = own.authority;
    url.path = x.path;
    url.raw_path = x.request.path;
    if (x.request.has_query) url.query.append("?").append(x.request.query);
    return url;
}

/// A URL that the answer names, in its one spelling; nothing if it has none.
std::optional<PlainUrl> named_url(const UrlParts& named) {
    const std::size_t end = std::min(named.target.find('?'), named.target.size());
    std::string storage;
    const Result<std::string_view> path = normalise_path(named.target.substr(0, end), storage);
    if (!path) return std::nullopt;
    PlainUrl url;
    url.authority = named.authority;
    url.path = *path;
    url.raw_path = named.target.substr(0, end);
    url.query = named.target.substr(end);
    return url;
}

/// A GET of this client's for `path` would look into a cache.
bool get_is_cached(Exchange& x, std::string_view path) {
    const Snapshot& snapshot = *x.snapshot->shared;
    RequestHead& head = x.request;
    const Method method = std::exchange(head.method, Method::get);
    const std::string_view text = std::exchange(head.method_text, "GET");
    const auto index = snapshot.router.find(x.client->listener, path, head);
    head.method = method;
    head.method_text = text;
    return index && snapshot.routes[*index].cache != nullptr;
}

void purge_all(Exchange& x, const UrlParts& url, const std::vector<std::string>& targets,
               bool only_if_there) {
    CacheStore& store = x.worker.cache().store;
    const FillTable& fills = x.worker.cache().fills;
    for (const std::string& target : targets) {
        const Purge purge = purge_of(url, target);
        // In this order: what a fill brings is in the store before it leaves the table.
        if (only_if_there && !fills.may_fill(purge.what) && !store.may_hold(purge.what)) continue;
        if (x.worker.purge(purge) || x.cache.key.text.empty()) continue;
        // Too many purges at a time: at least what this very request would get.
        const EntryRef entry = store.peek(x.cache.key, x.request.fields).entry;
        if (entry) static_cast<void>(store.remove(*entry));
    }
}

}  // namespace

void invalidate(Exchange& x) {
    const Snapshot& snapshot = *x.snapshot->shared;
    // What was stored when a route had a cache may be found again when it has one.
    const ResponseCache& cache = x.worker.cache();
    const bool nothing = !snapshot.caches && cache.store.is_empty() && cache.fills.size() == 0;
    if (is_safe(x.request.method) || nothing) return;
    const bool cached = x.route->cache != nullptr;
    const std::string_view target = cached ? x.cache.target : x.target;
    const auto urls = invalidated_by(x.request, key_scheme(x), target, x.response, x.arena);
    for (std::size_t i = 0; i < urls.size(); ++i) {
        const std::optional<PlainUrl> url = i == 0 ? own_url(x, urls[0]) : named_url(urls[i]);
        if (!url) continue;
        std::vector<std::string> targets = targets_of(snapshot, *url);
        if (i == 0 && cached) add_once(targets, std::string(target));
        if (!snapshot.caches) add_once(targets, url->path + url->query);
        const bool told = !x.grpc && (cached || get_is_cached(x, url->path));
        purge_all(x, urls[i], targets, !told);
    }
}

}  // namespace scrollgate
