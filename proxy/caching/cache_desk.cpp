#include "proxy/caching/cache_desk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/scalars.hpp"
#include "core/limits.hpp"
#include "proxy/caching/url_route.hpp"

namespace scrollgate {
namespace {

constexpr Duration tick_interval = std::chrono::seconds(1);

/// Under each scheme that is meant, in its canonical form: one purge for both where they agree.
std::vector<Purge> purges_at(const PlainUrl& url, const std::vector<std::string>& targets,
                             const PurgeWish& wish, std::string_view other_authority) {
    std::vector<Purge> all;
    for (const std::string& target : targets) {
        all.push_back({wish.by, url.authority + target, url.scheme, wish.soft});
        if (!url.scheme.empty() || other_authority == url.authority) continue;
        all.back().scheme = "http";
        all.push_back({wish.by, std::string(other_authority) + target, "https", wish.soft});
    }
    return all;
}

/// What has this key, or one that begins with it, if `wish` is by prefix.
Purge purge_at(const CacheKey& key, const PurgeWish& wish) {
    const CacheKeyParts parts = parts_of(key.text);
    return {wish.by, std::string(parts.authority) + std::string(parts.target),
            std::string(parts.scheme), wish.soft};
}

CacheRefusal too_many_purges() {
    return {503, "too_many_purges", "too many purges are under way; ask again in a moment"};
}

}  // namespace

CacheDesk::CacheDesk(const Clock& clock, ResponseCache& cache, Hooks hooks)
    : clock_(clock),
      cache_(cache),
      hooks_(std::move(hooks)),
      purge_alarm_(hooks_.alarm()),
      jobs_alarm_(hooks_.alarm()),
      sets_alarm_(hooks_.alarm()),
      tick_alarm_(hooks_.alarm()),
      purges_(cache.store, *purge_alarm_, cache.fleet),
      jobs_(
          clock, *jobs_alarm_,
          [this](const std::string& url, WarmJobs::Ended ended) { fetch(url, std::move(ended)); }),
      sets_(clock, *sets_alarm_, jobs_,
            {[this](const std::string& url) { return ttl_of(url); },
             [this](std::size_t most) { return hottest(most); }}) {}

void CacheDesk::start() {
    sets_.use(hooks_.snapshot()->config->cache, true);
    tick();
}

void CacheDesk::reload() {
    sets_.use(hooks_.snapshot()->config->cache, false);
    tick();
}

void CacheDesk::stop() {
    sets_.stop();
    jobs_.stop();
    tick_alarm_->cancel();
}

/// Only while somebody may have stored something: an idle process sleeps.
void CacheDesk::tick() {
    cache_.store.expire();
    purges_.look();
    jobs_.tell_all();
    const auto snapshot = hooks_.snapshot();
    const auto caches = [](const RouteRuntime& route) { return route.cache != nullptr; };
    if (std::none_of(snapshot->routes.begin(), snapshot->routes.end(), caches)) return;
    tick_alarm_->set(tick_interval, [this] { tick(); });
}

// ---- what operators ask for

CacheRefusal CacheDesk::purge(const PurgeWish& wish, PurgeDesk::Done done) {
    std::vector<Purge> purges;
    if (wish.by == Purge::By::tag || wish.by == Purge::By::all) {
        purges.push_back({wish.by, wish.what, "", wish.soft});
    } else {
        const PlainUrl url = plain_url(wish.what);
        if (!url.wrong.empty()) return {400, "bad_url", url.wrong};
        const auto snapshot = hooks_.snapshot();
        const PlainUrl https = url.scheme.empty() ? plain_url("https://" + wish.what) : url;
        purges = purges_at(url,
                           wish.by == Purge::By::url ? stored_targets(*snapshot, url)
                                                     : stored_prefixes(*snapshot, url),
                           wish, https.authority);
        if (url.path.starts_with(hand_prefix)) {
            const UrlRoute found = route_url(*snapshot, url);
            if (is_hand_key(found.key.text)) purges.push_back(purge_at(found.key, wish));
        }
    }
    if (!purges_.ask(purges, std::move(done))) return too_many_purges();
    return {};
}

CacheRefusal CacheDesk::put(std::string_view name, const HandEntry& entry, std::string& where) {
    const auto snapshot = hooks_.snapshot();
    const HandPlace place = find_hand_place(*snapshot, name);
    where = place.where;
    return put_by_hand(cache_.store, clock_, snapshot->config->cache, place, entry);
}

HandFound CacheDesk::get(std::string_view name) const {
    return get_by_hand(cache_.store, clock_.now(), find_hand_place(*hooks_.snapshot(), name));
}

CacheRefusal CacheDesk::remove(std::string_view name, PurgeDesk::Done done) {
    const HandPlace place = find_hand_place(*hooks_.snapshot(), name);
    if (!place.bare) return purge({Purge::By::url, std::string(name), false}, std::move(done));
    if (place.refusal) return place.refusal;
    const Purge one = purge_at(place.key, {Purge::By::url, "", false});
    if (!purges_.ask({one}, std::move(done))) return too_many_purges();
    return {};
}

// ---- warming

CacheRefusal CacheDesk::warm(std::vector<std::string> urls, double rate, std::uint64_t& job) {
    constexpr std::size_t shown = 5, looked_at = 1000;
    std::vector<std::string> wrong;
    // Of a long list the rest is found out one by one, when it is to be fetched.
    for (std::size_t i = 0; i < std::min(urls.size(), looked_at) && wrong.size() < shown; ++i) {
        const PlainUrl plain = plain_url(urls[i]);
        if (!plain.wrong.empty())
            wrong.push_back(fmt::format("{}: {}", config::quoted(urls[i]), plain.wrong));
    }
    if (!wrong.empty()) return {400, "bad_url", fmt::format("{}", fmt::join(wrong, "; "))};
    const std::optional<std::uint64_t> started = jobs_.start(std::move(urls), rate);
    if (!started) return {503, "too_many_jobs", "too many jobs are under way; wait for one to end"};
    job = *started;
    return {};
}

void CacheDesk::fetch(const std::string& url, WarmJobs::Ended ended) {
    const auto fail = [&](std::string why) {
        WarmEnd end;
        end.why = std::move(why);
        end.hopeless = true;
        hooks_.later([ended, end = std::move(end)] { ended(end); });
    };
    const PlainUrl plain = plain_url(url);
    if (!plain.wrong.empty()) return fail(plain.wrong);
    const UrlRoute found = route_url(*hooks_.snapshot(), plain);
    if (found.route == nullptr) return fail("no route takes it");
    if (found.route->cache == nullptr)
        return fail(fmt::format("its route, {}, has no cache", found.route->route->name));
    if (is_hand_key(found.key.text)) return fail("what is below /_cache/ is set by hand");
    FillOrder order;
    order.scheme = plain.scheme.empty() ? "http" : plain.scheme;
    order.authority = plain.authority;
    order.target = plain.raw_path + plain.query;
    order.listener = found.listener;
    hooks_.fetch(std::move(order), std::move(ended));
}

std::optional<std::int64_t> CacheDesk::ttl_of(const std::string& url) const {
    const PlainUrl plain = plain_url(url);
    if (!plain.wrong.empty()) return std::nullopt;
    const UrlRoute found = route_url(*hooks_.snapshot(), plain);
    if (found.key.text.empty()) return std::nullopt;
    // Of the variants that are fresh the one that ends first. What has expired is none of those
    // that a fetch without a client's fields renews.
    std::optional<std::int64_t> least;
    for (const EntryRef& entry : cache_.store.variants(found.key, limits::cache_variants)) {
        if (entry->is_marker()) continue;
        const std::int64_t ttl = std::max<std::int64_t>(entry->freshness().ttl(clock_.now()), 0);
        if (least.value_or(0) == 0 || (ttl > 0 && ttl < *least)) least = ttl;
    }
    return least;
}

HottestFile::Look CacheDesk::hottest(std::size_t most) const {
    return [&store = cache_.store, snapshot = hooks_.snapshot(), most] {
        std::vector<std::string> urls;
        for (const std::string& key : store.hottest(most)) {
            std::string url = url_of_key(*snapshot, key);
            if (!url.empty()) urls.push_back(std::move(url));
        }
        return urls;
    };
}

}  // namespace scrollgate
