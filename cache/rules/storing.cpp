// Storing, in the order of RFC 9111 section 3; then freshness lifetime (4.2.1) and age (4.2.3).
#include "cache/rules/storing.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "cache/rules/delta_seconds.hpp"
#include "cache/rules/http_date.hpp"
#include "cache/rules/reuse.hpp"
#include "core/hop_by_hop.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

constexpr std::int64_t longest = limits::cache_ttl_most;

std::uint32_t clamp_seconds(std::int64_t seconds) noexcept {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, longest));
}

std::uint32_t clamp_seconds(Duration span) noexcept {
    return clamp_seconds(std::chrono::duration_cast<std::chrono::seconds>(span).count());
}

/// Final, and about a whole representation: what a request without Range and conditions gets.
bool is_storable(std::uint16_t status) noexcept {
    return status >= 200 && status <= 599 && status != 206 && status != 304 && status != 416;
}

/// Those of RFC 9110 section 15.1 that a cache may give a lifetime by itself.
bool is_heuristically_cacheable(std::uint16_t status) noexcept {
    constexpr std::array<std::uint16_t, 11> known{200, 203, 204, 300, 301, 308,
                                                  404, 405, 410, 414, 501};
    return std::find(known.begin(), known.end(), status) != known.end();
}

/// Those that RFC 9110 section 15 defines, for must-understand (9111 5.2.2.3).
bool is_understood(std::uint16_t status) noexcept {
    const bool success = status >= 200 && status <= 205;
    const bool redirection = (status >= 300 && status <= 303) || status == 307 || status == 308;
    const bool client =
        (status >= 400 && status <= 417) || status == 421 || status == 422 || status == 426;
    const bool server = status >= 500 && status <= 505;
    return success || redirection || client || server;
}

bool is_named(std::string_view list, std::string_view name) noexcept {
    while (!list.empty()) {
        if (equal_no_case(pop_first_in_list(list), name)) return true;
    }
    return false;
}

bool is_withheld(const HeaderField& field, const CacheControl& control) noexcept {
    return is_named(control.private_fields, field.name) ||
           is_named(control.no_cache_fields, field.name);
}

std::optional<std::int64_t> date_of(const HeaderList& fields, std::int64_t now) noexcept {
    const HeaderField* const date = fields.find(Field::date);
    return date != nullptr ? parse_http_date(date->value, now) : std::nullopt;
}

/// Expires less Date (4.2.1); one that cannot be read has passed, of several the first to come
/// counts (5.3).
std::int64_t expires_lifetime(const HeaderList& fields, std::int64_t date, std::int64_t now) {
    std::int64_t least = longest;
    for (const HeaderField& field : fields) {
        if (field.id != Field::expires) continue;
        const auto expires = parse_http_date(field.value, now);
        least = std::min(least, expires ? std::max<std::int64_t>(*expires - date, 0) : 0);
    }
    return least;
}

/// What the response says itself.
std::optional<std::int64_t> explicit_lifetime(const HeaderList& fields, const CacheControl& control,
                                              std::int64_t date, std::int64_t now) {
    if (control.s_maxage) return *control.s_maxage;
    if (control.max_age) return *control.max_age;
    if (control.targeted || fields.find(Field::expires) == nullptr) return std::nullopt;
    return expires_lifetime(fields, date, now);
}

/// A tenth of the time since it changed (4.2.2).
std::optional<std::int64_t> heuristic_lifetime(const HeaderList& fields, std::int64_t date,
                                               std::int64_t now) {
    const HeaderField* const changed = fields.find(Field::last_modified);
    if (changed == nullptr) return std::nullopt;
    const auto modified = parse_http_date(changed->value, now);
    if (!modified || *modified > date) return std::nullopt;
    const std::int64_t most = limits::cache_heuristic_most.count();
    return std::min((date - *modified) / 10, most);
}

/// The first member of the first Age; what is no number is ignored (5.1).
std::int64_t age_value(const HeaderList& fields) noexcept {
    std::string_view list = fields.value(Field::age);
    return delta_seconds(pop_first_in_list(list)).value_or(0);
}

struct Lifetime {
    std::int64_t seconds = 0;
    bool is_explicit = false;
    bool is_estimate = false;
};

/// By precedence: the response, default_ttl, heuristics. Nothing: none says anything. A Pragma:
/// no-cache of a response means nothing by itself (5.4), but whoever sends it wants no estimate.
std::optional<Lifetime> lifetime_of(std::uint16_t status, const HeaderList& fields,
                                    const CacheControl& control, const config::RouteCache& route,
                                    std::int64_t wall) {
    const std::int64_t date = date_of(fields, wall).value_or(wall);
    if (const auto said = explicit_lifetime(fields, control, date, wall)) {
        return Lifetime{*said, true, false};
    }
    if (!is_heuristically_cacheable(status) && !control.public_) return std::nullopt;
    if (is_named(fields.value(Field::pragma), "no-cache")) return std::nullopt;
    if (route.default_ttl) return Lifetime{clamp_seconds(*route.default_ttl), false, true};
    if (!route.heuristics) return std::nullopt;
    if (const auto guess = heuristic_lifetime(fields, date, wall)) {
        return Lifetime{*guess, false, true};
    }
    return std::nullopt;
}

/// How long it may be used stale: what the response grants, else what the route grants and nothing
/// forbids (4.2.4). must-revalidate, proxy-revalidate and no-cache forbid all of it
/// (5.2.2.2, 5.2.2.4, 5.2.2.8); s-maxage only what the response does not grant itself.
void grant_staleness(Freshness& freshness, const CacheControl& control,
                     const config::RouteCache& route) noexcept {
    if (control.must_revalidate || control.proxy_revalidate || control.no_cache) return;
    const bool open = !freshness.must_revalidate;
    if (control.stale_while_revalidate) {
        freshness.while_revalidate = *control.stale_while_revalidate;
    } else if (open && route.stale_while_revalidate && freshness.lifetime > 0) {
        freshness.while_revalidate = clamp_seconds(*route.stale_while_revalidate);
    }
    if (control.stale_if_error) {
        freshness.if_error = *control.stale_if_error;
    } else if (open && route.stale_if_error) {
        freshness.if_error = clamp_seconds(*route.stale_if_error);
    }
}

Freshness make_freshness(const HeaderList& fields, const CacheControl& control,
                         const config::RouteCache& route, const Received& received,
                         const Lifetime& lifetime) {
    const std::int64_t wall = unix_seconds(received.wall);
    const Duration took = std::max(received.at - received.asked, Duration::zero());
    const std::int64_t apparent = wall - date_of(fields, wall).value_or(wall);
    Freshness freshness;
    freshness.received = received.at;
    freshness.initial_age =
        clamp_seconds(std::max(apparent, age_value(fields) + clamp_seconds(took)));
    freshness.lifetime = clamp_seconds(lifetime.seconds);
    freshness.took_ms =
        clamp_seconds(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    freshness.must_revalidate =
        control.must_revalidate || control.proxy_revalidate || control.s_maxage.has_value();
    freshness.no_cache = control.no_cache;
    freshness.immutable = control.immutable;
    freshness.heuristic = lifetime.is_estimate;
    freshness.has_validator =
        !fields.value(Field::etag).empty() || !fields.value(Field::last_modified).empty();
    freshness.if_slow = route.stale_if_slow && !freshness.must_revalidate && !freshness.no_cache;
    grant_staleness(freshness, control, route);
    return freshness;
}

/// What forbids storing, whatever the freshness (3; 5.2.1.5; 5.2.2.5; 5.2.2.7).
CacheReason forbidden_by(const RequestSays& request, const ResponseHead& response,
                         const CacheControl& control, const config::RouteCache& route) {
    const std::uint16_t status = response.status;
    if (status == 206 || status == 416) return CacheReason::partial;
    if (!is_storable(status)) return CacheReason::status;
    if (control.malformed) return CacheReason::malformed;
    if (request.no_store) return CacheReason::request_no_store;
    if (control.must_understand && !is_understood(status)) return CacheReason::status;
    if (control.no_store && !control.must_understand) return CacheReason::no_store;
    if (control.private_) return CacheReason::private_;
    if (route.store_set_cookie) return CacheReason::none;
    const HeaderField* const cookie = response.fields.find(Field::set_cookie);
    if (cookie != nullptr && !is_withheld(*cookie, control)) return CacheReason::set_cookie;
    return CacheReason::none;
}

/// May a response to a request with credentials be shared (3.5)? The route asks for explicit
/// freshness besides.
bool permits_authorization(const CacheControl& control) noexcept {
    return control.public_ || control.s_maxage || control.must_revalidate;
}

/// Nothing explicit: for whom is it, then?
CacheReason unsaid(const RequestSays& request, const ResponseHead& response) noexcept {
    if (request.cookie) return CacheReason::cookie;
    if (response.fields.find(Field::set_cookie) != nullptr) return CacheReason::set_cookie;
    return CacheReason::none;
}

/// It can never answer anybody: stale at once, and neither validated nor granted as stale.
bool is_useless(const Freshness& freshness, const CacheControl& control, TimePoint at) noexcept {
    if (freshness.has_validator) return false;
    const std::int64_t staleness = -freshness.ttl(at);
    if (control.stale_if_error && staleness < freshness.if_error) return false;
    return freshness.no_cache || (staleness >= 0 && staleness >= freshness.while_revalidate);
}

}  // namespace

CacheControl deciding_control(const HeaderList& response) {
    for (const Field id : {Field::cdn_cache_control, Field::surrogate_control}) {
        if (response.find(id) == nullptr) continue;
        CacheControl control = parse_cache_control(response, id);
        if (control.present) return control;
    }
    return parse_cache_control(response, Field::cache_control);
}

RequestSays::RequestSays(const RequestHead& request)
    : no_store(parse_cache_control(request.fields, Field::cache_control).no_store),
      authorization(request.fields.find(Field::authorization) != nullptr),
      cookie(request.fields.find(Field::cookie) != nullptr) {}

Storing judge_storing(const RequestSays& request, const ResponseHead& response,
                      const config::RouteCache& route, const Received& received) {
    const CacheControl control = deciding_control(response.fields);
    if (const CacheReason reason = forbidden_by(request, response, control, route);
        reason != CacheReason::none) {
        return {reason, {}};
    }
    auto lifetime =
        lifetime_of(response.status, response.fields, control, route, unix_seconds(received.wall));
    const bool is_explicit = lifetime && lifetime->is_explicit;
    if (request.authorization && !(is_explicit && permits_authorization(control))) {
        return {CacheReason::authorization, {}};
    }
    if (!is_explicit) {
        if (const CacheReason reason = unsaid(request, response); reason != CacheReason::none) {
            return {reason, {}};
        }
    }
    if (!lifetime && control.no_cache) {  // to be validated each time: needs no lifetime
        if (!is_heuristically_cacheable(response.status) && !control.public_) {
            return {CacheReason::status, {}};
        }
        lifetime = Lifetime{};
    }
    if (!lifetime) return {CacheReason::no_freshness, {}};
    Storing storing;
    storing.freshness = make_freshness(response.fields, control, route, received, *lifetime);
    if (is_useless(storing.freshness, control, received.at)) {
        storing.reason = CacheReason::already_stale;
    }
    return storing;
}

Freshness freshness_of(std::uint16_t status, const HeaderList& fields,
                       const config::RouteCache& route, const Received& received) {
    const CacheControl control = deciding_control(fields);
    auto lifetime = lifetime_of(status, fields, control, route, unix_seconds(received.wall));
    const bool cookie = fields.find(Field::set_cookie) != nullptr;
    if (lifetime && !lifetime->is_explicit && cookie) lifetime.reset();
    return make_freshness(fields, control, route, received, lifetime.value_or(Lifetime{}));
}

bool is_stored_field(const HeaderField& field, const CacheControl& control,
                     const config::RouteCache& route) noexcept {
    if (ends_at_hop(field.id)) return false;
    switch (field.id) {
        case Field::trailer:
        case Field::content_length:
        case Field::age:
        case Field::cache_status:
        case Field::via:
        case Field::x_request_id:
            return false;
        case Field::set_cookie:
            if (!route.store_set_cookie) return false;
            break;
        default:
            break;
    }
    if (equal_no_case(field.name, "Proxy-Authentication-Info")) return false;
    if (equal_no_case(field.name, "Set-Cookie2") && !route.store_set_cookie) return false;
    return !is_withheld(field, control);
}

}  // namespace scrollgate
