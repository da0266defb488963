#include "proxy/caching/hit.hpp"

#include <algorithm>
#include <utility>

#include "cache/rules/conditional.hpp"
#include "proxy/caching/answer.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/caching/cached.hpp"
#include "proxy/caching/entry_body.hpp"
#include "proxy/caching/explain_fields.hpp"
#include "proxy/caching/partial.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/routing/transform.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// The request may get something else than the whole response.
bool is_conditional(const HeaderList& fields) noexcept {
    for (const HeaderField& field : fields) {
        if (field.id == Field::if_none_match || field.id == Field::if_modified_since ||
            field.id == Field::range) {
            return true;
        }
    }
    return false;
}

bool are_none(const config::HeaderRules& rules) noexcept {
    return rules.set.empty() && rules.add.empty() && rules.remove.empty();
}

/// The serialised fields have one that this answer must not have twice.
bool repeats_hsts(const Exchange& x, std::string_view lines) noexcept {
    if (!says_hsts(x)) return false;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size() - 1);
        if (equal_no_case(lines.substr(0, std::min(end, hsts_name.size())), hsts_name)) return true;
        lines.remove_prefix(end + 1);
    }
    return false;
}

/// What this exchange says about the answer.
void add_tail(Exchange& x) {
    HeaderList& fields = x.response.fields;
    if (x.cache.beside != nullptr) {
        for (const HeaderField& field : *x.cache.beside)
            if (field.id != Field::x_request_id) fields.add(field.name, field.value, field.id);
    }
    const TimePoint now = x.worker.loop().now();
    x.cache.reuse.ttl = x.cache.entry->freshness().ttl(now);  // the look-up may be long ago
    add_age(x, fields, x.cache.entry->freshness().age(now));
    add_cache_status(x, fields);
    add_own_fields(x, fields, Version::http11);
    explain_answer(x, fields);
}

/// So many slow clients are sent stored bodies that no buffer is left to unpack this one into. The
/// origin has it, too, unless it was set by hand.
Task<Result<void>> ask_origin(Exchange& x) {
    if (x.cache.entry->by_hand()) return Task<Result<void>>::ready(Error{ErrorKind::overloaded});
    x.cache.reason = CacheReason::no_memory;
    x.cache.detail = {};
    x.response.clear();
    return pass(x);
}

/// The response as it is stored, its fields as they were serialised then.
Task<Result<void>> answer_plain(Exchange& x) {
    const CacheEntry& entry = *x.cache.entry;
    add_tail(x);
    if (x.request.method == Method::head) co_return co_await send_head(x, entry.wire());
    EntryBody body(entry.body());
    if (!body.lease(x.worker.loop())) co_return co_await ask_origin(x);
    co_return co_await send_answer(x, body, entry.wire());
}

/// The same with fields that the route changes, or in part.
Task<Result<void>> answer_changed(Exchange& x, Ranges ranges) {
    const CacheEntry& entry = *x.cache.entry;
    RangesBody body(x, entry.body());
    if (x.request.method == Method::get && x.response.status != 304 && !body.lease()) {
        co_return co_await ask_origin(x);
    }
    if (x.response.status == 200) body.shape(ranges);
    add_tail(x);
    apply(x.route->route->response_headers, x.response.fields);
    if (x.request.method == Method::head || x.response.status == 304) {
        co_return co_await send_head(x, {});
    }
    co_return co_await send_answer(x, body, {});
}

}  // namespace

Task<Result<void>> answer_stored(Exchange& x) {
    const CacheEntry& entry = *x.cache.entry;
    const HeaderList& request = x.request.fields;
    ResponseHead& head = x.response;
    head.clear();
    head.status = entry.status();
    head.body = {BodyFraming::Kind::length, entry.body().size()};
    const bool conditional = entry.status() == 200 && is_conditional(request);
    const bool as_it_is =
        are_none(x.route->route->response_headers) && !repeats_hsts(x, entry.wire());
    if (!conditional && as_it_is) return answer_plain(x);

    entry.fields(head.fields);
    Ranges ranges;
    if (conditional) {
        const std::int64_t now = wall_seconds(x);
        if (judge_condition(request, head.fields, now) == Condition::not_modified) {
            make_not_modified(head);
        } else {
            ranges = judge_range(x.request, head.fields, entry.body().size(), now);
        }
    }
    return answer_changed(x, std::move(ranges));
}

}  // namespace scrollgate
