#include "proxy/caching/fetch.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"
#include "proxy/caching/cached.hpp"
#include "proxy/caching/fill_task.hpp"
#include "proxy/caching/filled.hpp"
#include "proxy/caching/hit.hpp"
#include "proxy/caching/lookup.hpp"
#include "proxy/caching/reading.hpp"
#include "proxy/caching/storing.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// What follows from what a fill has told.
struct Heard {
    enum class Next : std::uint8_t {
        read,     ///< the response is for this request: it is read as it comes
        stored,   ///< the stored response is still good
        stale,    ///< the stored response stands in
        own,      ///< past the cache
        another,  ///< a fill of its own: to be validated for each request
        variant,  ///< another fill, for those whom Vary tells apart from `vary`
        found,    ///< the tier has given what is stored now
        failed,   ///< `error` is the answer
    };
    Next next = Next::read;
    Error error{};
    std::string_view vary{};  ///< lives as long as the fill
};
using Next = Heard::Next;

/// With whom a request waits for the origin.
struct Company {
    bool alone = false;   ///< with nobody: it leads a fill of its own…
    bool closed = false;  ///< …that nobody else waits for, either
    unsigned rounds = 0;  ///< fills that turned out to be for others
    std::string variant;  ///< Vary lines of the response that it expects; empty: not known

    /// A fill that `x` has waited for is for requests with these lines: that tells with whom it can
    /// wait, unless the origin varies now by this and now by that.
    void parted(Exchange& x, std::string_view lines) {
        alone = alone || ++rounds >= limits::fill_rounds;
        variant = variant_for(x, lines);
    }
};

/// Nobody waits for a head only to be sent away, neither this request nor others for its sake.
Company company_of(Exchange& x, const CacheControl& control) {
    Company company;
    company.closed = asks_for_itself(x);
    company.alone = x.cache.alone || company.closed;
    // It takes what others have asked for; what it gets itself is not to be stored.
    company.closed = company.closed || control.no_store;
    company.variant = expected_variant(x);
    return company;
}

/// The request may be answered by what another node has stored.
bool may_come_from_tier(CacheReason reason) noexcept {
    return reason != CacheReason::request_no_cache && reason != CacheReason::request_no_store &&
           reason != CacheReason::request_max_age && reason != CacheReason::must_validate;
}

FillTable::Joined take_part(Exchange& x, const Company& company) {
    FillTable& fills = x.worker.cache().fills;
    if (company.alone) return {fills.lead(x.cache.key, company.variant, company.closed), true, {}};
    return fills.join_or_lead(
        x.cache.key, x.request.fields,
        {.known = x.cache.entry.get(),
         .route = x.route->cache,
         .chooses = [&x](std::string_view lines) { return chooses(x, lines); },
         .variant = company.variant,
         .closed = company.closed});
}

/// All that the route could ask is known to be down: whoever waits for it waits in vain.
bool pools_are_down(Exchange& x) {
    return x.snapshot->balancers[x.record.route].nothing_is_well();
}

/// The stored response has not been purged while its request waited.
bool is_still_there(const Exchange& x) {
    const CacheStore& store = x.worker.cache().store;
    if (!store.overtaken(x.cache.key.text, x.cache.position)) return true;
    return store.peek(x.cache.key, x.request.fields).entry == x.cache.entry;
}

bool has_stand_in(const Exchange& x) {
    return x.cache.entry && x.cache.reuse.if_error && is_still_there(x);
}

Heard stand_in(Exchange& x, std::string_view why) noexcept {
    x.cache.detail = why;
    return {Next::stale};
}

/// The origin gave no answer, or one that broke off before anything of it was passed on.
Heard failed(Exchange& x, const Error& error) {
    if (error.kind == ErrorKind::cancelled) return {Next::own};  // nothing that the origin has said
    if (stands_in(x, error)) return {Next::stale};
    if (error.kind == ErrorKind::shutting_down) return {Next::own};
    return {Next::failed, error};
}

/// What is to be validated before each use was so for its leader alone.
bool is_for_followers(const Exchange& x, const Freshness& freshness) noexcept {
    if (judge_estimate(freshness, x.request.fields) != CacheReason::none) return false;
    return !freshness.no_cache && freshness.ttl(x.worker.loop().now()) > 0;
}

/// A head has come.
Heard judge_head(Exchange& x, const Fill& fill, bool leads) {
    const FillHead& head = fill.head();
    const std::uint16_t status = head.response.status;
    if (stands_in(x, status)) return {Next::stale};
    if (!head.shared) {
        x.cache.storing = head.reason;
        // A part of something that is not kept is asked for as a part.
        const bool part = x.request.fields.find(Field::range) != nullptr;
        if (!leads || part) return {Next::own};
    } else if (!leads && !chooses(x, head.vary)) {
        return {Next::variant, {}, head.vary};
    } else if (!leads && !is_for_followers(x, head.freshness)) {
        return {Next::another};
    }
    if (fill.state() == Fill::State::abandoned) return failed(x, fill.error());
    return {Next::read};
}

/// Waits for the fill's head. The leader's client is told the 1xx heads that come before.
Task<FillReader::Woken> await_head(Exchange& x, FillReader& reader, TimePoint until,
                                   LeadersShare* share) {
    for (;;) {
        const auto interims =
            share == nullptr ? std::vector<ResponseHead>() : std::exchange(share->interims, {});
        for (const ResponseHead& head : interims) {
            const Result<void> told = co_await x.sink->interim(head);
            if (!told && !x.cancelled) x.cancel(told.error().kind);
        }
        if (share != nullptr) share->waiting = &reader;
        const FillReader::Woken woken = co_await reader.head(until);
        if (share != nullptr) share->waiting = nullptr;
        if (woken != FillReader::Woken::interrupted || x.cancelled) co_return woken;
        reader.resume();
    }
}

/// Waits until the fill tells what is to be done. `share`: of the leader, null for all others.
Task<Heard> hear(Exchange& x, FillReader& reader, LeadersShare* share) {
    const bool leads = share != nullptr;
    if (reader.fill().state() == Fill::State::asking && has_stand_in(x) && pools_are_down(x)) {
        co_return stand_in(x, "down");
    }
    const std::optional<Duration>& patience = x.route->cache->stale_if_slow;
    TimePoint slow = never;
    if (patience && x.cache.entry && x.cache.reuse.if_slow) {
        slow = after(x.worker.loop().now(), *patience);
    }
    FillReader::Woken woken = co_await await_head(x, reader, std::min(x.until, slow), share);
    if (woken == FillReader::Woken::late && slow < x.until) {
        if (is_still_there(x)) co_return stand_in(x, "slow");
        woken = co_await await_head(x, reader, x.until, share);
    }
    if (x.cancelled) co_return Heard{Next::failed, Error{*x.cancelled}};
    if (woken != FillReader::Woken::ready) {
        co_return failed(x, Error{ErrorKind::request_timeout});
    }
    const Fill& fill = reader.fill();
    if (fill.state() == Fill::State::failed) co_return failed(x, fill.error());
    if (fill.state() == Fill::State::validated && fill.from_tier()) co_return Heard{Next::found};
    if (fill.state() == Fill::State::validated) {
        const EntryRef entry = fill.entry();
        if (!leads && !chooses(x, entry->vary())) co_return Heard{Next::variant, {}, entry->vary()};
        const bool fits = leads || is_for_followers(x, entry->freshness());
        co_return Heard{fits ? Next::stored : Next::another};
    }
    co_return judge_head(x, fill, leads);
}

/// The stored response was found to be still good, just now.
void use_validated(Exchange& x, EntryRef entry) {
    CacheDecision& decision = x.cache;
    const TimePoint now = x.worker.loop().now();
    decision.entry = std::move(entry);
    decision.reuse = {};
    decision.reuse.age = decision.entry->freshness().age(now);
    decision.reuse.ttl = decision.entry->freshness().ttl(now);
    decision.forward_status = 304;
}

/// The response as it comes; if it breaks off before its first byte has left, what may stand in.
Task<Result<void>> read_on(Exchange& x, Reading& reading, const LeadersShare* share) {
    const EntryRef before = x.cache.entry;
    const Result<void> answered = co_await answer_filled(x, reading, share);
    if (answered || x.cancelled || x.sink->committed()) co_return answered;
    reading.end();
    x.cache.entry = before;
    x.cache.storing = CacheReason::none;
    x.cache.stored = x.cache.collapsed = false;
    const Heard heard = failed(x, answered.error());
    if (heard.next == Next::stale) co_return co_await answer_stored(x);
    co_return answered;
}

Task<Result<void>> act(Exchange& x, const Heard& heard, Reading& reading,
                       const LeadersShare* share) {
    if (heard.next != Next::read) reading.end();
    switch (heard.next) {
        case Next::read:
            return read_on(x, reading, share);
        case Next::stored:
            use_validated(x, reading.fill().entry());
            if (share != nullptr) x.cache.beside = &share->fields;
            return answer_stored(x);
        case Next::stale:
            x.cache.collapsed = false;
            return answer_stored(x);
        default:
            return Task<Result<void>>::ready(Result<void>(heard.error));
    }
}

/// After a fill that was for others: it may have stored what this request wants, or a purge may
/// have come. True: what is there by now answers.
bool look_again(Exchange& x, const CacheControl& control) {
    CacheDecision& decision = x.cache;
    decision.entry.reset();
    decision.reuse = {};
    decision.collapsed = false;
    look_up(x);
    if (!decision.entry || !may_answer(x, control)) return false;
    decision.asked = false;
    return true;
}

/// What the tier has given is judged as if it had been in memory. True: it answers.
bool use_found(Exchange& x, const CacheControl& control, EntryRef entry, std::uint64_t position) {
    CacheDecision& decision = x.cache;
    decision.collapsed = decision.asked = false;
    decision.entry = std::move(entry);
    decision.position = position;
    decision.tier = may_answer(x, control);
    return decision.tier;
}

Task<Result<void>> on_its_own(Exchange& x) {
    x.cache.collapsed = false;
    x.cache.entry.reset();
    return pass(x);
}

}  // namespace

bool is_answered_early(Exchange& x) {
    if (!x.cache.entry) return false;
    if (x.route->cache->stale_if_slow && x.cache.reuse.if_slow) return true;
    return has_stand_in(x) && pools_are_down(x);
}

bool stands_in(Exchange& x, const Error& error) {
    if (error.side() == Side::client || !has_stand_in(x)) return false;
    x.cache.detail = error.reason();
    return true;
}

bool stands_in(Exchange& x, std::uint16_t status) {
    if (!is_origin_failure(status) || !has_stand_in(x)) return false;
    x.cache.forward_status = status;
    x.cache.detail = "stale-if-error";
    return true;
}

Task<Result<void>> fetch(Exchange& x, const CacheControl& control) {
    CacheDecision& decision = x.cache;
    bool asks_tier = may_come_from_tier(decision.reason);
    Company company = company_of(x, control);
    for (;;) {
        const std::uint64_t position = x.worker.cache().store.purge_position();
        const FillTable::Joined joined = take_part(x, company);
        if (joined.entry) {  // stored since the look-up
            company.alone = true;
            if (!chooses(x, joined.entry->vary())) continue;
            decision.entry = joined.entry;
            decision.position = position;
            if (may_answer(x, control)) co_return co_await answer_stored(x);
            if (decision.reason == CacheReason::hit_for_miss) break;
            continue;
        }
        if (!joined.fill) {
            decision.storing = CacheReason::too_many_fills;
            break;
        }
        Reading reading(x, joined.fill);
        if (reading.reader().missed()) continue;
        LeadersShareRef share;
        if (joined.leads) share = lead_fill(x, joined.fill, asks_tier, company.alone);
        decision.asked = true;
        x.record.cache = CacheResult::miss;  // whatever comes of it
        decision.collapsed = !joined.leads;
        const Heard heard = co_await hear(x, reading.reader(), share.get());
        if (heard.next == Next::another || heard.next == Next::variant) {
            if (heard.next == Next::another) company.alone = true;
            if (heard.next == Next::variant) company.parted(x, heard.vary);
            if (look_again(x, control)) co_return co_await answer_stored(x);
            if (decision.reason == CacheReason::hit_for_miss) break;
            continue;
        }
        if (heard.next == Next::found) {
            const EntryRef entry = reading.fill().entry();
            reading.end();
            asks_tier = false;  // once is enough
            if (!chooses(x, entry->vary())) {
                company.parted(x, entry->vary());
            } else if (use_found(x, control, entry, position)) {
                co_return co_await answer_stored(x);
            } else if (decision.reason == CacheReason::hit_for_miss) {
                break;
            }
            continue;
        }
        if (heard.next == Next::own) break;
        co_return co_await act(x, heard, reading, share.get());
    }
    co_return co_await on_its_own(x);
}

}  // namespace scrollgate
