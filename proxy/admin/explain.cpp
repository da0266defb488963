#include "proxy/admin/explain.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "cache/rules/reuse.hpp"
#include "cache/rules/selecting.hpp"
#include "cache/rules/vary.hpp"
#include "cache/tier/names.hpp"
#include "config/scalars.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/caching/url_route.hpp"

namespace scrollgate {
namespace {

std::string match_text(const config::Match& match) {
    std::vector<std::string> parts;
    const auto add = [&](std::string_view what, std::string_view value) {
        if (!value.empty()) parts.push_back(fmt::format("{} {}", what, value));
    };
    add("listener", match.listener);
    add("host", match.host);
    add("path_prefix", match.path_prefix);
    add("path_exact", match.path_exact);
    add("path_regex", match.path_regex);
    if (!match.methods.empty()) add("method", fmt::format("{}", fmt::join(match.methods, "|")));
    for (const auto& [name, value] : match.query)
        add("query", fmt::format("{}={}", name, value));
    for (const auto& [name, value] : match.headers)
        add("header", fmt::format("{}: {}", name, value));
    if (parts.empty()) return "it asks for nothing, so it takes all that is left";
    return fmt::format("it asks for {}", fmt::join(parts, ", "));
}

/// The rule for responses, in words, as long as none is stored.
std::string rule_text(const config::RouteCache& cache) {
    std::string text =
        "what the response says (CDN-Cache-Control, Surrogate-Control, "
        "Cache-Control, Expires); if it says nothing, ";
    if (cache.default_ttl)
        text += fmt::format("default_ttl {}, but never with cookies or credentials",
                            config::duration_text(*cache.default_ttl));
    else if (cache.heuristics)
        text += "a tenth of the age that Last-Modified tells";
    else
        text += "it is not stored";
    const auto stale = [&](const char* when, const std::optional<Duration>& span) {
        if (span) text += fmt::format("; {} {}", when, config::duration_text(*span));
    };
    stale("stale while it is refreshed", cache.stale_while_revalidate);
    stale("stale if the origin fails", cache.stale_if_error);
    stale("stale if the origin takes longer than", cache.stale_if_slow);
    return text;
}

std::string ways_text(const config::CacheKeyRules& key) {
    std::string text;
    if (!key.ignore_query.empty())
        text += fmt::format("; without the parameters {}", fmt::join(key.ignore_query, ", "));
    if (!key.headers.empty())
        text += fmt::format("; the headers {} count", fmt::join(key.headers, ", "));
    if (!key.cookies.empty())
        text += fmt::format("; the cookies {} count", fmt::join(key.cookies, ", "));
    return text;
}

std::string balance_text(config::Route::Balance balance) {
    switch (balance) {
        case config::Route::Balance::adaptive:
            return "adaptive: by score and latency";
        case config::Route::Balance::round_robin:
            return "round_robin";
        case config::Route::Balance::least_requests:
            return "least_requests";
        case config::Route::Balance::random:
            return "random";
        case config::Route::Balance::consistent_hash:
            return "consistent_hash";
    }
    return {};
}

const PoolStatus* pool_of(const Status* status, const std::string& name) {
    if (status == nullptr) return nullptr;
    const auto found = std::find_if(status->pools.begin(), status->pools.end(),
                                    [&](const PoolStatus& pool) { return pool.name == name; });
    return found == status->pools.end() ? nullptr : &*found;
}

void explain_pools(const config::Route& route, const Status* status, Explanation& all) {
    std::map<std::uint32_t, std::vector<std::string>> levels;
    for (const config::RoutePool& pool : route.pools) {
        std::string text = pool.name;
        text += pool.split ? fmt::format(" (exactly {:.0f}%)", *pool.split * 100)
                           : fmt::format(" (weight {})", pool.weight);
        if (const PoolStatus* known = pool_of(status, pool.name))
            text += fmt::format(" {}, score {:.2f}: {}", known->state, known->score, known->why);
        levels[pool.priority].push_back(std::move(text));
    }
    for (const auto& [priority, pools] : levels) {
        const bool first = priority == levels.begin()->first;
        all.emplace_back(first ? "pools" : fmt::format("pools {}", priority),
                         fmt::format("{}{}", fmt::join(pools, ", "),
                                     first ? "" : ", for what those before cannot carry"));
    }
    all.emplace_back("balance", balance_text(route.balance));
}

void explain_stored(const UrlRoute& found, const HeaderList& fields, const ExplainWorld& world,
                    Explanation& all) {
    const CacheStore::Found stored = world.store->peek(found.key, fields);
    const bool bare = is_hand_key(found.key.text);
    const auto verdict = [&](CacheReason reason) {
        if (bare)
            return void(all.emplace_back("answer", "status 404: nothing is set by hand there"));
        all.emplace_back("answer", fmt::format("from the origin (fwd={}): {}",
                                               forward_token(reason), sentence(reason)));
    };
    if (!stored.entry) {
        all.emplace_back("stored", stored.variants ? "only for requests with other fields" : "no");
        if (stored.variants)
            all.emplace_back("vary", variants_text(*world.store, found.key, fields));
        return verdict(stored.variants ? CacheReason::other_variant : CacheReason::absent);
    }
    const CacheEntry& entry = *stored.entry;
    if (entry.marker() == Marker::weak) {
        all.emplace_back("stored",
                         fmt::format("no; after an answer {} nobody waits for another's, and each "
                                     "may store its own",
                                     entry.status()));
        return verdict(CacheReason::absent);
    }
    if (entry.is_marker()) {
        all.emplace_back("stored", "no, only that it cannot be shared at present");
        return verdict(CacheReason::hit_for_miss);
    }
    all.emplace_back("stored", fmt::format("status {}, {} bytes, {} charged{}{}", entry.status(),
                                           entry.body().size(), entry.charged(),
                                           entry.body().compressed() ? ", compressed" : "",
                                           entry.by_hand() ? ", set by hand" : ""));
    if (!entry.vary().empty()) all.emplace_back("vary", vary_text(entry.vary()));
    if (const auto tags = entry.tags(); !tags.empty())
        all.emplace_back("tags", fmt::format("{}", fmt::join(tags, " ")));
    all.emplace_back("freshness", freshness_text(entry.freshness(), world.now));
    if (entry.by_hand() && !found.route->cache->entries) return verdict(CacheReason::absent);
    const Reuse reuse =
        judge_reuse(request_control(fields), entry.freshness(), entry.softly_purged(), world.now);
    switch (reuse.kind) {
        case Reuse::Kind::validate:
            return verdict(reuse.reason);
        case Reuse::Kind::refresh:
            all.emplace_back("answer", fmt::format("from the cache (hit; ttl={}), stale, while it "
                                                   "is refreshed",
                                                   reuse.ttl));
            return;
        case Reuse::Kind::fresh:
        case Reuse::Kind::stale:
            all.emplace_back("answer", fmt::format("from the cache (hit; ttl={})", reuse.ttl));
            return;
    }
}

/// Where the tier has it, for whoever wants to look.
std::string tier_text(const TierStatus& tier, std::string_view key) {
    const bool asked = tier.state == "up" && tier.in_step;
    return fmt::format("{}; what is not in memory is looked up as {} in {}{}", tier.state,
                       tier::name_of_key(tier.prefix, key), tier.url, asked ? "" : ", but not now");
}

void explain_cache(const UrlRoute& found, const HeaderList& fields, const ExplainWorld& world,
                   Explanation& all) {
    if (found.route->cache == nullptr) {
        all.emplace_back("cache", "none: the route does not say cache: { enabled: true }");
        return;
    }
    const config::RouteCache& cache = *found.route->cache;
    if (found.key.text.empty()) {
        all.emplace_back("cache", std::string(sentence(found.reason)));
        return;
    }
    all.emplace_back("key", key_text(found.key.text) + ways_text(cache.key));
    all.emplace_back("rule", rule_text(cache));
    if (world.store != nullptr) explain_stored(found, fields, world, all);
    if (world.status != nullptr && world.status->cache.tier)
        all.emplace_back("redis", tier_text(*world.status->cache.tier, found.key.text));
}

}  // namespace

std::string freshness_text(const Freshness& freshness, TimePoint now) {
    const std::int64_t ttl = freshness.ttl(now);
    std::string text = fmt::format(
        "lifetime {} s - age {} s = {}", freshness.lifetime, freshness.age(now),
        ttl > 0 ? fmt::format("fresh for {} s more", ttl) : fmt::format("stale for {} s", -ttl));
    if (freshness.heuristic) text += "; the response did not say: an estimate or default_ttl";
    if (freshness.no_cache) text += "; no-cache: validated before every use";
    const bool granted = freshness.while_revalidate > 0 || freshness.if_error > 0;
    if (freshness.must_revalidate)
        text += granted ? "; used stale only as the response grants it" : "; never used stale";
    if (freshness.while_revalidate > 0)
        text += fmt::format("; {} s beyond that while it is refreshed", freshness.while_revalidate);
    if (freshness.if_error > 0)
        text += fmt::format("; {} s beyond that if the origin fails", freshness.if_error);
    return text;
}

std::string vary_text(std::string_view lines) {
    std::string text;
    while (!lines.empty()) {
        const std::string_view line = pop_line(lines);
        if (!text.empty()) text += "; ";
        text += line;
        if (line.find(':') == line.npos) text += " (absent)";
    }
    return text;
}

std::string variants_text(const CacheStore& store, const CacheKey& key, const HeaderList& fields) {
    constexpr std::size_t told = 4;
    const std::vector<EntryRef> others = store.variants(key, told + 1);
    if (others.empty()) return "nothing is stored by now";
    std::vector<std::string> texts;
    for (const EntryRef& entry : others)
        texts.push_back(vary_text(entry->vary()));
    if (texts.size() > told) texts.back() = "and more";
    const std::string own = variant_of(vary_names(others.front()->vary()), fields);
    return fmt::format("this request has {}; stored for {}", vary_text(own),
                       fmt::join(texts, " | "));
}

std::string key_text(std::string_view key) {
    const CacheKeyParts parts = parts_of(key);
    if (is_hand_key(key)) return fmt::format("{}, set by hand, on all hosts", parts.target);
    std::string text = fmt::format("partition {}, {}, {}, {}", parts.partition, parts.scheme,
                                   parts.authority, parts.target);
    std::string chosen(parts.chosen);
    while (chosen.ends_with('\n'))
        chosen.pop_back();
    std::replace(chosen.begin(), chosen.end(), '\n', ',');
    if (!chosen.empty()) text += ", " + chosen;
    return text;
}

Explanation explain_url(const Snapshot& snapshot, std::string_view url, const HeaderList& fields,
                        const ExplainWorld& world) {
    Explanation all;
    const PlainUrl plain = plain_url(url);
    if (!plain.wrong.empty()) {
        all.emplace_back("wrong", plain.wrong);
        return all;
    }
    all.emplace_back("url", fmt::format("{}://{}{}{}", plain.scheme.empty() ? "http" : plain.scheme,
                                        plain.authority, plain.path, plain.query));
    const UrlRoute found = route_url(snapshot, plain, fields);
    if (found.route == nullptr) {
        all.emplace_back("route", "none: no route takes it, so the answer is 404");
        return all;
    }
    const config::Route& route = *found.route->route;
    const auto index = static_cast<std::size_t>(found.route - snapshot.routes.data());
    all.emplace_back(
        "route", fmt::format("{} (routes[{}]): {}", route.name, index, match_text(route.match)));
    all.emplace_back("listener", found.listener);
    if (route.redirect) {
        all.emplace_back(
            "answer", fmt::format("redirect {} to {}", route.redirect->status, route.redirect->to));
        return all;
    }
    if (route.respond) {
        all.emplace_back("answer", fmt::format("status {} by itself", route.respond->status));
        return all;
    }
    all.emplace_back("forwarded",
                     found.target.empty() ? "nothing: the rewrite refuses the path" : found.target);
    explain_cache(found, fields, world, all);
    explain_pools(route, world.status, all);
    return all;
}

}  // namespace scrollgate
