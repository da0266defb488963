#include "proxy/caching/storing.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

void add_tags(std::string_view list, std::string_view separators,
              std::vector<std::string_view>& tags) {
    while (!list.empty() && tags.size() <= limits::cache_tags) {
        const std::size_t begin = std::min(list.find_first_not_of(separators), list.size());
        list.remove_prefix(begin);
        const std::string_view tag = list.substr(0, list.find_first_of(separators));
        list.remove_prefix(tag.size());
        const bool known = std::find(tags.begin(), tags.end(), tag) != tags.end();
        if (!tag.empty() && !known) tags.push_back(tag);
    }
}

/// What every one that is stored says.
EntryDraft draft_of(std::string_view key, const HeaderList& fields, std::string_view vary,
                    const Freshness& freshness, std::uint64_t purge_position) {
    EntryDraft draft;
    draft.key = key;
    draft.fields = &fields;
    draft.vary = vary;
    draft.freshness = freshness;
    draft.purge_position = purge_position;
    return draft;
}

/// Stores `draft`, which has a body, under the tags that its fields name.
CacheStore::Inserted insert_tagged(CacheStore& store, EntryDraft& draft) {
    const std::vector<std::string_view> tags = tags_of(*draft.fields);
    draft.tags = tags;
    return store.insert(draft);
}

Freshness of_marker(TimePoint now) {
    Freshness freshness;
    freshness.received = now;
    freshness.lifetime =
        static_cast<std::uint32_t>(std::chrono::seconds(limits::hit_for_miss).count());
    freshness.must_revalidate = true;
    return freshness;
}

EntryDraft marker_draft(Marker kind, std::string_view key, std::string_view vary,
                        std::uint64_t purge_position, TimePoint now) {
    static const HeaderList none;
    EntryDraft draft = draft_of(key, none, vary, of_marker(now), purge_position);
    draft.marker = kind;
    return draft;
}

}  // namespace

Remembered remembered(CacheReason reason, std::uint16_t status) noexcept {
    // A failure is over with the next request.
    if (status >= 500) return Remembered::no;
    switch (reason) {
        case CacheReason::status:
        case CacheReason::no_store:
        case CacheReason::private_:
        case CacheReason::set_cookie:
        case CacheReason::vary_all:
        case CacheReason::vary_too_much:
        case CacheReason::no_freshness:
        case CacheReason::already_stale:
        case CacheReason::too_large:
        case CacheReason::too_many_tags:
        case CacheReason::malformed:
            // What a client's own fields may have made the origin refuse is for nobody else.
            return status >= 400 ? Remembered::weakly : Remembered::yes;
        default:
            return Remembered::no;
    }
}

std::vector<std::string_view> tags_of(const HeaderList& fields) {
    std::vector<std::string_view> tags;
    for (const HeaderField& field : fields) {
        if (field.id == Field::surrogate_key) add_tags(field.value, " \t", tags);
        if (field.id == Field::cache_tag) add_tags(field.value, ", \t", tags);
    }
    return tags;
}

bool has_too_many_tags(const HeaderList& fields) {
    const std::vector<std::string_view> tags = tags_of(fields);
    return tags.size() > limits::cache_tags || std::any_of(tags.begin(), tags.end(), [](auto tag) {
               return tag.size() > limits::cache_tag_bytes;
           });
}

CacheReason judge_size(const ResponseHead& head, std::uint64_t max_object) {
    const bool larger =
        head.body.kind == BodyFraming::Kind::length && head.body.length > max_object;
    if (larger) return CacheReason::too_large;
    return has_too_many_tags(head.fields) ? CacheReason::too_many_tags : CacheReason::none;
}

CacheStore::Inserted store_filled(CacheStore& store, const Fill& fill, BodyRef body) {
    const FillHead& head = fill.head();
    EntryDraft draft = draft_of(fill.key().text, head.response.fields, head.vary, head.freshness,
                                fill.purge_position());
    draft.status = head.response.status;
    draft.body = std::move(body);
    return insert_tagged(store, draft);
}

CacheStore::Inserted store_refreshed(CacheStore& store, const CacheEntry& entry,
                                     const HeaderList& fields, std::string_view vary,
                                     const Freshness& freshness, std::uint64_t purge_position,
                                     bool only_if_there) {
    EntryDraft draft = draft_of(entry.key(), fields, vary, freshness, purge_position);
    draft.status = entry.status();
    draft.body = entry.body_ref();
    if (only_if_there) draft.instead_of = &entry;
    CacheStore::Inserted inserted = insert_tagged(store, draft);
    if (inserted.entry && vary != entry.vary()) static_cast<void>(store.remove(entry));
    return inserted;
}

void store_marker(CacheStore& store, const CacheKey& key, const HeaderList& request, Marker kind,
                  std::uint64_t purge_position, TimePoint now) {
    const CacheStore::Found found = store.peek(key, request);
    if (!found.entry && found.variants) return;
    const bool fresh = found.entry && found.entry->freshness().ttl(now) > 0;
    if (fresh && !(kind == Marker::firm && found.entry->is_marker())) return;
    const std::string_view vary = found.entry ? found.entry->vary() : std::string_view();
    static_cast<void>(store.insert(marker_draft(kind, key.text, vary, purge_position, now)));
}

void weaken_marker(CacheStore& store, const CacheEntry& marker, std::uint16_t status,
                   std::uint64_t purge_position, TimePoint now) {
    EntryDraft draft = marker_draft(Marker::weak, marker.key(), marker.vary(), purge_position, now);
    draft.status = status;
    draft.instead_of = &marker;
    static_cast<void>(store.insert(draft));
}

void store_weak_marker(CacheStore& store, const CacheKey& key, const HeaderList& request,
                       std::uint16_t status, std::uint64_t purge_position, TimePoint now) {
    const CacheStore::Found found = store.peek(key, request);
    const bool stale_marker =
        found.entry && found.entry->is_marker() && found.entry->freshness().ttl(now) <= 0;
    if (found.variants && !stale_marker) return;
    EntryDraft draft = marker_draft(Marker::weak, key.text, {}, purge_position, now);
    draft.status = status;
    static_cast<void>(store.insert(draft));
}

HeaderList stored_fields(const HeaderList& fields, const config::RouteCache& route,
                         HeaderList* others) {
    const CacheControl control = deciding_control(fields);
    HeaderList stored;
    for (const HeaderField& field : fields) {
        if (field.id == Field::content_length) continue;
        HeaderList* const into = is_stored_field(field, control, route) ? &stored : others;
        if (into != nullptr) into->add(field.name, field.value, field.id);
    }
    return stored;
}

}  // namespace scrollgate
