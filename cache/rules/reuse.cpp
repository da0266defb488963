// Reuse of a stored response: the request's wishes, then freshness, then what permits staleness.
#include "cache/rules/reuse.hpp"

#include <algorithm>
#include <cmath>

#include "core/limits.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

/// The request asks for something younger, or for something that stays fresh longer, than this.
bool refuses_age(const CacheControl& control, const Freshness& stored, const Reuse& reuse) {
    if (control.min_fresh && reuse.ttl < std::int64_t{*control.min_fresh}) return true;
    if (!control.max_age || reuse.age <= std::int64_t{*control.max_age}) return false;
    return !(stored.immutable && reuse.ttl > 0);  // RFC 8246 section 2: a reload is no signal
}

/// What the request accepts beyond the lifetime (5.2.1.2).
bool accepts_stale(const CacheControl& control, std::int64_t staleness) noexcept {
    if (control.max_stale) return staleness <= std::int64_t{*control.max_stale};
    return control.max_stale_any;
}

/// May it stand in for an origin that fails?
bool stands_in(const CacheControl& control, const Freshness& stored, std::int64_t ttl) noexcept {
    std::int64_t window = stored.if_error;
    const bool forbidden = stored.must_revalidate || stored.no_cache;
    if (control.stale_if_error && !forbidden) {  // RFC 5861 section 4: a request may permit it, too
        window = std::max(window, std::int64_t{*control.stale_if_error});
    }
    if (ttl > 0 && !stored.no_cache) return true;
    return window > 0 && -ttl < window;
}

Duration time_left(const Freshness& stored, TimePoint now) noexcept {
    const std::int64_t seconds = std::int64_t{stored.lifetime} - std::int64_t{stored.initial_age};
    return stored.received + std::chrono::seconds(seconds) - now;
}

/// XFetch's delta with `left` to go: how long the origin took; near the end not less than
/// limits::early_pace, for of an object that is asked for r times per second e^(-r delta) of all
/// expiries are seen by a client, and an origin that answers at once would spare none of them. Only
/// near the end, so that it is asked a third more often at most, however hot the object is.
Duration pace(const Freshness& stored, Duration left) noexcept {
    constexpr int part = 4;  // of the lifetime that it had when it came
    const Duration took = std::chrono::milliseconds(stored.took_ms);
    if (left > time_left(stored, stored.received) / part) return took;
    return std::max<Duration>(took, limits::early_pace);
}

Reuse& validate(Reuse& reuse, CacheReason reason) noexcept {
    reuse.kind = Reuse::Kind::validate;
    reuse.reason = reason;
    return reuse;
}

}  // namespace

Reuse judge_reuse(const CacheControl& control, const Freshness& stored, bool softly_purged,
                  TimePoint now) noexcept {
    Reuse reuse;
    reuse.age = stored.age(now);
    reuse.ttl = stored.ttl(now);
    if (control.no_store) return validate(reuse, CacheReason::request_no_store);
    if (control.no_cache) return validate(reuse, CacheReason::request_no_cache);
    // Softly purged is as good as expired, to what must be revalidated then.
    const bool over = softly_purged && stored.must_revalidate;
    reuse.if_error =
        stands_in(control, stored, over ? std::min<std::int64_t>(reuse.ttl, 0) : reuse.ttl);
    if (softly_purged) return validate(reuse, CacheReason::purged);
    if (stored.no_cache) return validate(reuse, CacheReason::must_validate);
    const bool refused = refuses_age(control, stored, reuse);
    if (reuse.ttl > 0) {
        if (refused) return validate(reuse, CacheReason::request_max_age);
        reuse.if_error = false;
        return reuse;
    }
    reuse.reason = CacheReason::expired;
    reuse.kind = Reuse::Kind::validate;
    if (refused) return reuse;
    const std::int64_t staleness = -reuse.ttl;
    reuse.if_slow = !stored.must_revalidate && std::chrono::seconds(staleness) < limits::cache_kept;
    if (staleness < std::int64_t{stored.while_revalidate}) {
        reuse.kind = Reuse::Kind::refresh;
    } else if (!stored.must_revalidate && accepts_stale(control, staleness)) {
        reuse.kind = Reuse::Kind::stale;
    }
    return reuse;
}

Reuse judge_by_hand(const Freshness& stored, bool softly_purged, TimePoint now) noexcept {
    Reuse reuse;
    reuse.age = stored.age(now);
    reuse.ttl = stored.ttl(now);
    if (reuse.ttl <= 0) reuse.reason = CacheReason::expired;
    if (softly_purged) reuse.reason = CacheReason::purged;
    if (reuse.reason != CacheReason::none) reuse.kind = Reuse::Kind::validate;
    return reuse;
}

CacheReason judge_estimate(const Freshness& stored, const HeaderList& request) noexcept {
    if (!stored.heuristic) return CacheReason::none;
    if (request.find(Field::authorization) != nullptr) return CacheReason::authorization;
    if (request.find(Field::cookie) != nullptr) return CacheReason::cookie;
    return CacheReason::none;
}

CacheControl request_control(const HeaderList& fields) {
    CacheControl control = parse_cache_control(fields, Field::cache_control);
    if (control.present) return control;
    for (const HeaderField& field : fields) {
        if (field.id != Field::pragma) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            if (equal_no_case(pop_first_in_list(rest), "no-cache")) {
                control.no_cache = control.present = true;
            }
        }
    }
    return control;
}

bool is_near_end(const Freshness& stored, TimePoint now) noexcept {
    constexpr int most = 37;  // -log(2^-53): of the smallest dice
    const Duration left = time_left(stored, now);
    return left <= most * pace(stored, left);
}

bool refresh_early(const Freshness& stored, TimePoint now, double dice) noexcept {
    const Duration left = time_left(stored, now);
    if (!(left > Duration::zero()) || !(dice > 0)) return false;
    return -std::log(dice) * seconds_of(pace(stored, left)) >= seconds_of(left);
}

}  // namespace scrollgate
