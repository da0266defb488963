#include "proxy/caching/passed.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "cache/rules/conditional.hpp"
#include "cache/rules/storing.hpp"
#include "cache/rules/vary.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/caching/fetch.hpp"
#include "proxy/caching/lookup.hpp"
#include "proxy/caching/storing.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

Received received(const Exchange& x) {
    const EventLoop& loop = x.worker.loop();
    return {x.record.started, loop.now(), loop.clock().wall()};
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

/// All validators that are stored are in the answer as well, and there is one. A length alone is no
/// proof: that of another version may be the same.
bool is_vouched_for(const HeaderList& stored, const HeaderList& fresh) noexcept {
    bool any = false;
    for (const Field id : {Field::etag, Field::last_modified}) {
        if (stored.find(id) == nullptr) continue;
        if (fresh.find(id) == nullptr) return false;
        any = true;
    }
    return any;
}

/// What an answer to HEAD may change: an origin's response that had to be validated anyway, and
/// that is still the one that is stored. A client cannot make a fresh one go.
bool is_open_to_head(const Exchange& x, const CacheEntry& entry) {
    if (entry.is_marker() || entry.by_hand() || entry.status() != 200) return false;
    const Freshness& fresh = entry.freshness();
    const bool usable = fresh.ttl(x.worker.loop().now()) > 0 && !fresh.no_cache;
    if (usable && !entry.softly_purged()) return false;
    const CacheStore& store = x.worker.cache().store;
    return store.peek(x.cache.key, x.request.fields).entry.get() == &entry;
}

/// Whatever `fresh` says of the two validators, `stored` says to the letter (RFC 9111 4.3.5).
bool has_same_validators(const HeaderList& stored, const HeaderList& fresh) {
    constexpr std::array validators{Field::etag, Field::last_modified};
    return std::all_of(validators.begin(), validators.end(), [&](Field name) {
        const HeaderField* const said = fresh.find(name);
        return said == nullptr || said->value == stored.value(name);
    });
}

/// A 200 to HEAD is as good as a 304 if it is about what is stored; else that is out of date (RFC
/// 9111 section 4.3.5). One that does not say proves neither.
void take_head_answer(Exchange& x) {
    const EntryRef entry = x.cache.entry;
    if (!entry || x.response.status != 200 || !is_open_to_head(x, *entry)) return;
    CacheStore& store = x.worker.cache().store;
    HeaderList before;
    entry->fields(before);
    if (!has_same_validators(before, x.response.fields) || !same_length(x.response, *entry)) {
        static_cast<void>(store.remove(*entry));
        return;
    }
    if (!is_vouched_for(before, x.response.fields)) return;
    ResponseHead fresh;
    fresh.status = 200;
    fresh.fields = updated(before, x.response.fields);
    const Storing storing = judge_storing(x.cache.says, fresh, *x.route->cache, received(x));
    if (storing.reason != CacheReason::none) return;
    std::string vary;
    if (append_vary(vary, fresh.fields, x.request.fields) != CacheReason::none) {
        static_cast<void>(store.remove(*entry));
        return;
    }
    const HeaderList fields = stored_fields(fresh.fields, *x.route->cache);
    // As of the look-up: whatever was purged while the origin was asked stays so, and what a fill
    // has stored since is newer.
    static_cast<void>(
        store_refreshed(store, *entry, fields, vary, storing.freshness, x.cache.position, true));
}

/// What came past a marker, and is for everybody, ends it: the marker was made from an answer to
/// one client, whose cookies or luck need not be those of others.
void take_answer_past_marker(Exchange& x) {
    const EntryRef marker = x.cache.entry;
    if (x.cache.reason != CacheReason::hit_for_miss || !marker) return;
    if (marker->marker() != Marker::strong) return;
    const Storing storing = judge_storing(x.cache.says, x.response, *x.route->cache, received(x));
    if (storing.reason != CacheReason::none) return;
    std::string vary;
    if (append_vary(vary, x.response.fields, x.request.fields) != CacheReason::none) return;
    if (judge_size(x.response, x.config().cache.max_object) != CacheReason::none) return;
    weaken_marker(x.worker.cache().store, *marker, x.response.status, x.cache.position,
                  x.worker.loop().now());
}

}  // namespace

bool gives_way(Exchange& x) {
    return x.request.method == Method::head && stands_in(x, x.response.status);
}

void note_passed(Exchange& x) {
    HeaderList& fields = x.response.fields;
    if (fields.find(Field::date) == nullptr) fields.add(Field::date, x.worker.date());
    if (x.request.method == Method::head) take_head_answer(x);
    take_answer_past_marker(x);
    x.cache.entry.reset();
    add_cache_status(x, fields);
}

}  // namespace scrollgate
