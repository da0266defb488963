#include "proxy/caching/lookup.hpp"

#include <utility>
#include <vector>

#include "cache/rules/invalidation.hpp"
#include "cache/rules/reuse.hpp"
#include "cache/rules/vary.hpp"
#include "proxy/caching/url_route.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/routing/path.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// The fields that a fill for `x` would send; those of `x` stay as they are.
HeaderList fields_of_fill(Exchange& x) {
    HeaderList fields = x.request.fields;
    const std::string_view authority = x.request.authority;
    prepare_for_fill(x);
    std::swap(fields, x.request.fields);
    x.request.authority = authority;
    return fields;
}

/// X-Forwarded-Host that reaches the origin because a trusted proxy says it.
std::string_view told_host(const Exchange& x) noexcept {
    if (!x.client->trusted) return {};
    return x.request.fields.value(Field::x_forwarded_host);
}

/// As the key compares it.
void normalise_told_host(Exchange& x) {
    const std::string_view told = told_host(x);
    const std::string_view canonical = canonical_authority(key_scheme(x), told, x.arena);
    if (told.empty() || canonical.empty() || canonical == told) return;
    x.request.fields.remove(Field::x_forwarded_host);
    x.request.fields.add(Field::x_forwarded_host, canonical);
}

bool after_preparing(const Exchange& x, std::string_view lines) noexcept {
    return !lines.empty() && vary_needs_prepared(lines, x.route->route->request_headers);
}

/// Under a bare key there is nothing but what was set by hand.
bool may_be_found(const Exchange& x, const CacheEntry& entry) noexcept {
    return is_for_route(entry, *x.route->cache) && (entry.by_hand() || !is_bare(x));
}

// What the proxy itself sets can only be compared once it is set: dearer, and seldom needed.
void find_entry(Exchange& x) {
    CacheDecision& decision = x.cache;
    CacheStore& store = x.worker.cache().store;
    CacheStore::Found found = store.find(decision.key, x.request.fields);
    const bool none_yet = !found.entry && found.variants;
    if (none_yet || (found.entry && after_preparing(x, found.entry->vary()))) {
        const HeaderList prepared = fields_of_fill(x);
        // One request is one use, whatever it finds in the end.
        found = none_yet ? store.find(decision.key, prepared) : store.peek(decision.key, prepared);
    }
    decision.entry = std::move(found.entry);
    if (decision.entry && !may_be_found(x, *decision.entry)) decision.entry.reset();
    if (!decision.entry) {
        decision.reason = found.variants ? CacheReason::other_variant : CacheReason::absent;
    }
}

}  // namespace

// What the origin is told, and may answer by: a trusted proxy's word, if it is one that we know.
std::string_view key_scheme(const Exchange& x) noexcept {
    const std::string_view told = told_scheme(x);
    return told == "https" || told == "http" ? told : std::string_view();
}

CacheReason find_key(Exchange& x) {
    CacheDecision& decision = x.cache;
    const config::CacheKeyRules& rules = x.route->cache->key;
    if (is_bare(x)) {
        std::string_view target = x.path;
        if (x.request.has_query) target = x.arena.join({x.path, "?", x.request.query});
        decision.target = counting_target(target, rules, x.arena);
        make_hand_key(decision.target, decision.key);
        return CacheReason::none;
    }
    decision.target = counting_target(x.target, rules, x.arena);
    const std::string_view scheme = key_scheme(x);
    if (scheme.empty()) return CacheReason::bad_authority;
    return make_key(*x.route->cache, scheme, x.request, decision.target, x.arena, decision.key,
                    told_host(x));
}

void look_up(Exchange& x) {
    x.cache.position = x.worker.cache().store.purge_position();
    LookupSample& sample = x.worker.lookups();
    if (!sample.is_due()) return find_entry(x);
    EventLoop& loop = x.worker.loop();
    ResponseCache& cache = x.worker.cache();
    const TimePoint began = loop.now();
    find_entry(x);
    const TimePoint end = loop.now();
    cache.lookups.add(end - began);
    const std::uint32_t uses = sample.taken(end, loop.rng());
    const bool by_client = x.record.kind != ExchangeRecord::Kind::fill;
    const EntryRef& found = x.cache.entry;
    if (by_client && found && !found->is_marker()) cache.store.count_demand(x.cache.key.hash, uses);
}

bool is_bare(const Exchange& x) noexcept {
    return is_hand_path(*x.route->cache, x.path);
}

bool chooses(Exchange& x, std::string_view lines) {
    if (!after_preparing(x, lines)) return vary_matches(lines, x.request.fields);
    return vary_matches(lines, fields_of_fill(x));
}

std::string variant_for(Exchange& x, std::string_view lines) {
    const std::string names = vary_names(lines);
    if (!after_preparing(x, lines)) return variant_of(names, x.request.fields);
    return variant_of(names, fields_of_fill(x));
}

std::string expected_variant(Exchange& x) {
    if (x.cache.entry) return std::string(x.cache.entry->vary());
    if (x.cache.reason != CacheReason::other_variant) return {};
    const std::vector<EntryRef> others = x.worker.cache().store.variants(x.cache.key, 1);
    return others.empty() ? std::string() : variant_for(x, others.front()->vary());
}

bool asks_for_itself(const Exchange& x) noexcept {
    const HeaderList& fields = x.request.fields;
    if (fields.find(Field::authorization) != nullptr) return true;
    const config::RouteCache& cache = *x.route->cache;
    const bool estimates = cache.default_ttl || cache.heuristics;
    return estimates && fields.find(Field::cookie) != nullptr;
}

void normalise_for_fill(Exchange& x) {
    x.request.authority = canonical_authority(key_scheme(x), x.request.authority, x.arena);
    normalise_told_host(x);
    normalise_request(x.request.fields, x.arena);
    remove_unkeyed(x.request.fields, x.route->cache->key);
}

void prepare_for_fill(Exchange& x) {
    normalise_for_fill(x);
    prepare_fields(x);
}

double dice(Exchange& x) {
    constexpr double steps = 9007199254740992.0;  // 2^53: as many as a double tells apart
    return (static_cast<double>(x.worker.loop().rng().next() >> 11) + 1.0) / steps;
}

}  // namespace scrollgate
