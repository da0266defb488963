#include "proxy/caching/by_hand.hpp"

#include <algorithm>
#include <vector>

#include <fmt/chrono.h>

#include "cache/rules/http_date.hpp"
#include "config/scalars.hpp"
#include "proxy/caching/url_route.hpp"

namespace scrollgate {
namespace {

constexpr const char* how_to_allow = "set routes[].cache.entries: true";

HandPlace bare_place(const Snapshot& snapshot, std::string_view name) {
    HandPlace place;
    place.bare = true;
    place.where = hand_target(name);
    if (place.where.empty()) {
        place.refusal = {400, "bad_url",
                         fmt::format("{} can be no key; write a URL such as http://host/path, or a "
                                     "key such as nft/1",
                                     config::quoted(name))};
        return place;
    }
    make_hand_key(place.where, place.key);
    const auto allows = [](const RouteRuntime& route) {
        return route.cache != nullptr && route.cache->entries;
    };
    place.allowed = std::any_of(snapshot.routes.begin(), snapshot.routes.end(), allows);
    if (!place.allowed)
        place.why = fmt::format("no route serves what is set by hand; {}", how_to_allow);
    return place;
}

HandPlace url_place(const Snapshot& snapshot, std::string_view name) {
    HandPlace place;
    place.where = name;
    const PlainUrl url = plain_url(name);
    if (!url.wrong.empty()) {
        place.refusal = {400, "bad_url", url.wrong};
        return place;
    }
    UrlRoute found = route_url(snapshot, url);
    if (found.route == nullptr) {
        place.refusal = {404, "no_route", fmt::format("no route takes {}", config::quoted(name))};
        return place;
    }
    const std::string& route = found.route->route->name;
    if (found.key.text.empty()) {
        const std::string why =
            found.route->cache == nullptr ? "it has no cache" : std::string(sentence(found.reason));
        place.refusal = {409, "not_cached",
                         fmt::format("route {} takes it, and {}", config::quoted(route), why)};
        return place;
    }
    place.key = std::move(found.key);
    place.bare = is_hand_key(place.key.text);
    if (!place.bare) place.partition = found.route->cache->partition;
    place.allowed = found.route->cache->entries;
    if (!place.allowed)
        place.why = fmt::format("route {} does not serve what is set by hand; {}",
                                config::quoted(route), how_to_allow);
    return place;
}

}  // namespace

HandPlace find_hand_place(const Snapshot& snapshot, std::string_view name) {
    const std::size_t scheme = name.find("://");
    const bool bare = scheme == name.npos || scheme > name.find('/');
    return bare ? bare_place(snapshot, name) : url_place(snapshot, name);
}

CacheRefusal put_by_hand(CacheStore& store, const Clock& clock, const config::Cache& cache,
                         const HandPlace& place, const HandEntry& entry) {
    if (place.refusal) return place.refusal;
    if (!place.allowed) return {409, "entries_not_allowed", place.why};
    if (entry.body.size() > cache.max_object)
        return {413, "too_large",
                fmt::format("{} bytes are more than cache.max_object, {}", entry.body.size(),
                            config::size_text(cache.max_object))};
    const std::time_t now = unix_seconds(clock.wall());
    const std::string date = fmt::format("{:%a, %d %b %Y %T GMT}", fmt::gmtime(now));
    const std::string tag = fmt::format("\"{:016x}\"", cache_hash(entry.body));
    HeaderList fields;
    fields.add(Field::content_type, entry.type);
    fields.add(Field::date, date);
    fields.add(Field::etag, tag);
    BodyPacker packer(cache.compression, entry.type, "", store.trainer(place.partition).current());
    packer.append(entry.body);
    EntryDraft draft;
    draft.key = place.key.text;
    draft.fields = &fields;
    draft.freshness.received = clock.now();
    draft.freshness.lifetime = entry.ttl;
    draft.freshness.has_validator = true;
    draft.body = packer.finish();
    draft.by_hand = true;
    draft.purge_position = store.purge_position();
    store.fill_began(draft.purge_position);
    const CacheStore::Inserted made = store.insert(draft);
    store.fill_ended(draft.purge_position);
    if (made.entry) return {};
    const unsigned status = made.reason == CacheReason::too_large ? 413 : 507;
    return {status, std::string(token(made.reason)), std::string(sentence(made.reason))};
}

HandFound get_by_hand(const CacheStore& store, TimePoint now, const HandPlace& place) {
    HandFound got;
    got.refusal = place.refusal;
    if (got.refusal) return got;
    const CacheStore::Found found = store.peek(place.key, HeaderList{});
    if (!found.entry || found.entry->is_marker()) {
        got.refusal = {404, "absent",
                       std::string(sentence(found.variants ? CacheReason::other_variant
                                                           : CacheReason::absent))};
        return got;
    }
    const CacheEntry& entry = *found.entry;
    // The answer is a copy in memory that nobody has charged.
    if (entry.body().size() > limits::cache_object) {
        got.refusal = {413, "too_large",
                       fmt::format("{} bytes are more than is shown here, {}; ask a route for it",
                                   entry.body().size(), config::size_text(limits::cache_object))};
        return got;
    }
    HeaderList fields;
    entry.fields(fields);
    got.status = entry.status();
    got.type = fields.value(Field::content_type);
    got.age = entry.freshness().age(now);
    got.ttl = entry.freshness().ttl(now);
    got.by_hand = entry.by_hand();
    const StoredBody& body = entry.body();
    std::vector<char> scratch(limits::cache_block);
    for (std::uint64_t at = 0; at < body.size();) {
        const std::string_view part = body.read(at, scratch);
        got.body += part;
        at += part.size();
    }
    return got;
}

}  // namespace scrollgate
