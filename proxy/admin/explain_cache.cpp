#include "proxy/admin/explain_cache.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cache/rules/conditional.hpp"
#include "cache/rules/reuse.hpp"
#include "cache/rules/selecting.hpp"
#include "cache/rules/vary.hpp"
#include "cache/tier/names.hpp"
#include "config/scalars.hpp"
#include "core/hop_by_hop.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/routing/transform.hpp"

namespace scrollgate {
namespace {

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

/// When what is stored answers all the same.
std::string stand_in_text(const Reuse& reuse, const config::RouteCache& cache) {
    std::string text;
    if (reuse.if_error) text = "; it answers where the origin fails or its pools are down";
    if (reuse.if_slow && cache.stale_if_slow)
        text += fmt::format("; it answers where the origin takes longer than {}",
                            config::duration_text(*cache.stale_if_slow));
    return text;
}

/// What the origin would get, as far as the proxy sets it and it is not the client's address.
HeaderList prepared(const CacheQuestion& asked) {
    HeaderList fields = asked.fields;
    fields.remove_if([](const HeaderField& field) {
        return field.id == Field::x_forwarded_proto || field.id == Field::x_forwarded_host;
    });
    fields.add(Field::x_forwarded_proto, scheme_of(asked.url));
    fields.add(Field::x_forwarded_host, asked.url.authority);
    apply(asked.found.route->route->request_headers, fields);
    return fields;
}

CacheStore::Found find_stored(const CacheQuestion& asked, const CacheStore& store) {
    const CacheKey& key = asked.found.key;
    CacheStore::Found stored = store.peek(key, asked.fields);
    const config::HeaderRules& rules = asked.found.route->route->request_headers;
    const bool other = stored.entry && vary_needs_prepared(stored.entry->vary(), rules);
    if (other || (!stored.entry && stored.variants)) stored = store.peek(key, prepared(asked));
    return stored;
}

/// Why the request does not look into the cache.
CacheReason not_for_cache(const HeaderList& fields) {
    RequestHead head;
    head.version = Version::http11;
    head.fields = fields;
    if (asks_for_upgrade(head)) return CacheReason::upgrade;
    return passes_to_origin(fields) ? CacheReason::request_no_cache : CacheReason::none;
}

void explain_stored(const CacheQuestion& asked, const ExplainWorld& world, Explanation& all) {
    const UrlRoute& found = asked.found;
    const HeaderList& fields = asked.fields;
    const CacheControl control = request_control(fields);
    const bool bare = is_hand_key(found.key.text);
    const auto verdict = [&](CacheReason reason, bool looked = true, std::string_view but = {}) {
        std::string answer = fmt::format("from the origin (fwd={}): {}{}", forward_token(reason),
                                         sentence(reason), but);
        if (looked && control.only_if_cached)
            answer = fmt::format("status 504: only-if-cached, and {}", sentence(reason));
        if (bare) answer = "status 404: nothing is set by hand there";
        all.emplace_back("answer", std::move(answer));
    };
    const CacheReason not_looked = not_for_cache(fields);
    if (not_looked != CacheReason::none) return verdict(not_looked, false);
    const CacheStore::Found stored = find_stored(asked, *world.store);
    if (!stored.entry) {
        all.emplace_back("stored", stored.variants ? "only for requests with other fields" : "no");
        if (stored.variants) {
            all.emplace_back("vary", variants_text(*world.store, found.key, fields));
            const std::vector<EntryRef> one = world.store->variants(found.key, 1);
            if (!one.empty() && varies_by_client(one.front()->vary())) {
                all.emplace_back("answer",
                                 "depends on the client's address or version, by which "
                                 "responses vary and which are not known here");
                return;
            }
        }
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
    if (!is_for_route(entry, *found.route->cache)) return verdict(CacheReason::absent);
    const CacheReason unsaid = judge_estimate(entry.freshness(), fields);
    if (!entry.by_hand() && unsaid != CacheReason::none) return verdict(unsaid);
    const Reuse reuse =
        entry.by_hand() ? judge_by_hand(entry.freshness(), entry.softly_purged(), world.now)
                        : judge_reuse(control, entry.freshness(), entry.softly_purged(), world.now);
    switch (reuse.kind) {
        case Reuse::Kind::validate:
            return verdict(reuse.reason, true, stand_in_text(reuse, *found.route->cache));
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

}  // namespace

void explain_cache(const CacheQuestion& asked, const ExplainWorld& world, Explanation& all) {
    const UrlRoute& found = asked.found;
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
    if (world.store != nullptr) explain_stored(asked, world, all);
    if (world.status != nullptr && world.status->cache.tier)
        all.emplace_back("redis", tier_text(*world.status->cache.tier, found.key.text));
}

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

}  // namespace scrollgate
