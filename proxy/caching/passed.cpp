#include "proxy/caching/passed.hpp"

#include <charconv>

#include "cache/rules/conditional.hpp"
#include "cache/rules/invalidation.hpp"
#include "cache/rules/storing.hpp"
#include "cache/rules/vary.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/caching/lookup.hpp"
#include "proxy/caching/storing.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

void invalidate(Exchange& x) {
    if (is_safe(x.request.method)) return;
    CacheStore& store = x.worker.cache().store;
    const auto urls = invalidated_by(x.request, key_scheme(x), x.cache.target, x.response, x.arena);
    for (const UrlParts& url : urls) {
        Purge purge;
        purge.by = Purge::By::url;
        purge.what.append(url.authority).append(url.target);
        purge.scheme = url.scheme;
        purge.counted = false;
        if (store.purge(purge)) continue;
        // Too many purges at a time: at least what this very request would get.
        const EntryRef entry = store.peek(x.cache.key, x.request.fields).entry;
        if (entry) static_cast<void>(store.remove(*entry));
    }
}

/// The length that a GET would have had is that of what is stored, if the answer says one.
bool same_length(const ResponseHead& head, const CacheEntry& entry) noexcept {
    const std::string_view text = head.fields.value(Field::content_length);
    if (text.empty()) return true;
    std::uint64_t length = 0;
    const std::from_chars_result end =
        std::from_chars(text.data(), text.data() + text.size(), length);
    return end.ec == std::errc() && length == entry.body().size();
}

/// A 200 to HEAD is as good as a 304 if it is about what is stored; else that is out of date.
void take_head_answer(Exchange& x) {
    const EntryRef entry = std::move(x.cache.entry);
    if (!entry || entry->is_marker() || entry->status() != 200 || x.response.status != 200) return;
    CacheStore& store = x.worker.cache().store;
    HeaderList before;
    entry->fields(before);
    if (!validates(before, x.response.fields) || !same_length(x.response, *entry)) {
        static_cast<void>(store.remove(*entry));
        return;
    }
    const EventLoop& loop = x.worker.loop();
    const Received received{x.record.started, loop.now(), loop.clock().wall()};
    ResponseHead fresh;
    fresh.status = 200;
    fresh.fields = updated(before, x.response.fields);
    const Storing storing = judge_storing(x.request, fresh, *x.route->cache, received);
    if (storing.reason != CacheReason::none) return;
    const HeaderList fields = stored_fields(fresh.fields, *x.route->cache);
    const std::uint64_t position = store.purge_position();
    store.fill_began(position);  // no purge between is forgotten
    static_cast<void>(
        store_refreshed(store, *entry, fields, entry->vary(), storing.freshness, position));
    store.fill_ended(position);
}

}  // namespace

void note_passed(Exchange& x) {
    invalidate(x);
    HeaderList& fields = x.response.fields;
    if (fields.find(Field::date) == nullptr) fields.add(Field::date, x.worker.date());
    if (x.request.method == Method::head) take_head_answer(x);
    x.cache.entry.reset();
    add_cache_status(x, fields);
}

}  // namespace scrollgate
