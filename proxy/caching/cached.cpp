#include "proxy/caching/cached.hpp"

#include "cache/rules/conditional.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/caching/fetch.hpp"
#include "proxy/caching/fill_task.hpp"
#include "proxy/caching/hit.hpp"
#include "proxy/caching/lookup.hpp"
#include "proxy/pipeline/failover.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// Why the request does not look into the cache.
CacheReason not_for_cache(const Exchange& x) {
    const RequestHead& request = x.request;
    if (request.method != Method::get && request.method != Method::head) return CacheReason::method;
    if (request.body.has_body()) return CacheReason::request_body;
    if (x.upgrade) return CacheReason::upgrade;
    if (passes_to_origin(request.fields)) return CacheReason::request_no_cache;
    return CacheReason::none;
}

/// Nothing that a fill could bring would be for this request and others.
bool passes(CacheReason reason) noexcept {
    return reason == CacheReason::hit_for_miss || reason == CacheReason::authorization ||
           reason == CacheReason::cookie;
}

/// HEAD is not collapsed, but what its answer says of what is stored is for everybody: it is asked
/// for as a fill would.
Task<Result<void>> pass_head(Exchange& x) {
    x.target = x.cache.target;
    normalise_for_fill(x);
    const Result<void> passed = co_await pass(x);
    if (passed || x.cancelled || x.sink->committed()) co_return passed;
    const bool gave_way = passed.error().kind == ErrorKind::cancelled;
    if (!gave_way && !stands_in(x, passed.error())) co_return passed;
    co_return co_await answer_stored(x);
}

}  // namespace

Task<Result<void>> serve_cached(Exchange& x) {
    CacheDecision& decision = x.cache;

    // key: partition, scheme, authority, what counts of the target, chosen headers and cookies
    decision.reason = find_key(x);
    const CacheReason not_looked = not_for_cache(x);
    if (not_looked != CacheReason::none) decision.reason = not_looked;
    const Error nothing_there{ErrorKind::no_route, false, {}, "nothing is set by hand there"};
    if (decision.reason != CacheReason::none) {
        if (is_bare(x)) co_return nothing_there;
        co_return co_await pass(x);
    }

    // store: a hit answers at once, fresh, or stale while a fill refreshes it
    const CacheControl control = request_control(x.request.fields);
    look_up(x);
    if (decision.entry && may_answer(x, control)) co_return co_await answer_stored(x);

    // the origin has to be asked
    if (is_bare(x)) co_return nothing_there;
    if (control.only_if_cached) {
        x.record.cache = CacheResult::miss;
        co_return Error{ErrorKind::only_if_cached};
    }
    if (passes(decision.reason)) co_return co_await pass(x);
    const bool is_head = x.request.method == Method::head;
    if (is_head && !is_answered_early(x)) co_return co_await pass_head(x);

    // fill: one request to the origin for all who wait
    co_return co_await fetch(x, control);
}

Task<Result<void>> pass(Exchange& x) {
    x.cache.asked = true;
    x.record.cache = result_of(x.cache);  // whatever comes of it
    const bool may_tell = x.request.method == Method::head || x.cache.entry;
    if (may_tell) x.cache.says = RequestSays(x.request);
    prepare_fields(x);
    return forward(x);
}

bool may_answer(Exchange& x, const CacheControl& control) {
    CacheDecision& decision = x.cache;
    const CacheEntry& entry = *decision.entry;
    const TimePoint now = x.worker.loop().now();
    if (entry.is_marker()) {
        const bool holds = entry.freshness().ttl(now) > 0;
        const bool weak = entry.marker() == Marker::weak;
        decision.reason = holds && !weak ? CacheReason::hit_for_miss : CacheReason::absent;
        decision.alone = holds && weak;
        if (weak) decision.entry.reset();
        return false;
    }
    if (entry.by_hand()) {
        decision.reuse = judge_by_hand(entry.freshness(), entry.softly_purged(), now);
        decision.reason = decision.reuse.reason;
        return decision.reason == CacheReason::none;
    }
    decision.reason = judge_estimate(entry.freshness(), x.request.fields);
    if (decision.reason != CacheReason::none) {
        decision.entry.reset();  // nor may it be validated for this request, or stand in
        return false;
    }
    decision.reuse = judge_reuse(control, entry.freshness(), entry.softly_purged(), now);
    decision.reason = decision.reuse.reason;
    switch (decision.reuse.kind) {
        case Reuse::Kind::validate:
            return false;
        case Reuse::Kind::refresh:
            refresh_behind(x);
            return true;
        case Reuse::Kind::fresh:
            if (is_near_end(entry.freshness(), now) &&
                refresh_early(entry.freshness(), now, dice(x))) {
                refresh_behind(x);
            }
            return true;
        case Reuse::Kind::stale:
            return true;
    }
    return true;
}

}  // namespace scrollgate
