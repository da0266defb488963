#include "proxy/caching/explain_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "proxy/admin/explain.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

constexpr std::size_t line_most_ = 4096;

/// One field: "X-Scrollgate-Explain: key partition all, …". What no field may hold is blotted out,
/// and what is too long is cut off.
void add(Exchange& x, HeaderList& fields, std::string_view name, std::string_view text) {
    std::string line = fmt::format("{} {}", name, text);
    if (line.size() > line_most_) line.replace(line_most_ - 3, line.npos, "...");
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    fields.add(Field::x_scrollgate_explain, x.arena.join({line}));
}

std::string vary_or_none(std::string_view lines) {
    return lines.empty() ? "nothing: one variant for all" : vary_text(lines);
}

void add_route(Exchange& x, HeaderList& fields) {
    add(x, fields, "route", x.route == nullptr ? "none" : x.route->route->name);
}

void add_key(Exchange& x, HeaderList& fields) {
    const std::string& key = x.cache.key.text;
    add(x, fields, "key", key.empty() ? std::string("none") : key_text(key));
}

/// What was stored at the look-up, where that was not good enough.
bool had_stored(const CacheDecision& decision) noexcept {
    switch (decision.reason) {
        case CacheReason::expired:
        case CacheReason::must_validate:
        case CacheReason::purged:
        case CacheReason::request_max_age:
        case CacheReason::request_no_cache:
            return decision.reuse.age != 0 || decision.reuse.ttl != 0;
        default:
            return false;
    }
}

/// The arithmetic of what answers, and of what was there before.
void add_freshness(Exchange& x, HeaderList& fields) {
    const CacheDecision& decision = x.cache;
    const TimePoint now = x.worker.loop().now();
    if (decision.entry && !decision.entry->is_marker()) {
        add(x, fields, "vary", vary_or_none(decision.entry->vary()));
        add(x, fields, "freshness", freshness_text(decision.entry->freshness(), now));
        return;
    }
    if (decision.reason == CacheReason::other_variant) {
        const CacheStore& store = x.worker.cache().store;
        add(x, fields, "vary", variants_text(store, decision.key, x.request.fields));
    } else if (decision.coming != nullptr && decision.coming->shared) {
        add(x, fields, "vary", vary_or_none(decision.coming->vary));
    }
    if (had_stored(decision)) {
        const std::int64_t ttl = decision.reuse.ttl;
        add(x, fields, "before",
            fmt::format("lifetime {} s - age {} s = {}", decision.reuse.age + ttl,
                        decision.reuse.age,
                        ttl > 0 ? fmt::format("fresh for {} s more", ttl)
                                : fmt::format("stale for {} s", -ttl)));
    }
    if (decision.coming != nullptr && decision.coming->shared)
        add(x, fields, "freshness", freshness_text(decision.coming->freshness, now));
}

}  // namespace

void explain_answer(Exchange& x, HeaderList& fields) {
    if (!x.explained) return;
    add_route(x, fields);
    if (x.route->cache == nullptr)
        return add(x, fields, "answer", "from the origin: the route has no cache");
    const CacheDecision& decision = x.cache;
    add_key(x, fields);
    add_freshness(x, fields);
    const bool hit = decision.reason == CacheReason::none;
    std::string why(hit ? "it is stored, and fresh" : sentence(decision.reason));
    if (decision.entry && !decision.detail.empty()) why += ", and answers all the same";
    if (decision.storing != CacheReason::none)
        why += fmt::format("; what came is not stored: {}", sentence(decision.storing));
    add(x, fields, "answer", fmt::format("{}: {}", x.record.cache_status, why));
}

void explain_own(Exchange& x, std::string_view reason, HeaderList& fields) {
    if (!x.explained) return;
    add_route(x, fields);
    if (x.route != nullptr && x.route->cache != nullptr) {
        add_key(x, fields);
        add_freshness(x, fields);
    }
    std::string why(reason);
    if (x.cache.reason != CacheReason::none)
        why += fmt::format("; the cache: {}", sentence(x.cache.reason));
    add(x, fields, "answer", fmt::format("{} by itself: {}", x.response.status, why));
}

}  // namespace scrollgate
