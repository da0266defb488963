// May this response be stored, and how long is it fresh? (RFC 9111 sections 3 and 4.2)
//
// Pure functions over request, response, route and time; each decision has a named reason.
#pragma once

#include "cache/freshness.hpp"
#include "cache/reason.hpp"
#include "cache/rules/cache_control.hpp"
#include "config/model.hpp"
#include "core/message.hpp"

namespace scrollgate {

/// When a response was asked for and received; wall time for Date and Expires.
struct Received {
    TimePoint asked{}, at{};
    WallTime wall{};
};

struct Storing {
    CacheReason reason = CacheReason::none;  ///< none: it may be stored
    Freshness freshness;                     ///< with none, and with already_stale
};

/// The field that decides about a response: CDN-Cache-Control, else Surrogate-Control, else
/// Cache-Control (RFC 9213 section 2.2). Views into `response`.
[[nodiscard]] CacheControl deciding_control(const HeaderList& response);

/// What decides of a request about storing its answer. As the client sent it: what a route's
/// request_headers put in its place is the proxy's word to the origin, not the client's.
struct RequestSays {
    RequestSays() = default;
    RequestSays(const RequestHead& request);

    bool no_store = false, authorization = false, cookie = false;
};

/// Judges a response to a GET. The order of precedence of fields: CDN-Cache-Control,
/// Surrogate-Control, then Cache-Control and Expires (RFC 9213 section 2.2). default_ttl never
/// applies where the request has Cookie or Authorization or the response has Set-Cookie.
[[nodiscard]] Storing judge_storing(const RequestSays& request, const ResponseHead& response,
                                    const config::RouteCache& route, const Received& received);

/// Freshness of `fields`, those of a stored response that a 304 has just updated, or of a HEAD.
[[nodiscard]] Freshness freshness_of(std::uint16_t status, const HeaderList& fields,
                                     const config::RouteCache& route, const Received& received);

/// The response is kept with this field. Not kept: hop-by-hop ones, those that deciding_control()
/// names in no-cache="" or private="", Set-Cookie unless the route stores it, Age, Cache-Status,
/// Trailer, Content-Length (the body has its own), and what each exchange says for itself (Via,
/// X-Request-Id). Fields that Connection names are the caller's to remove.
[[nodiscard]] bool is_stored_field(const HeaderField& field, const CacheControl& control,
                                   const config::RouteCache& route) noexcept;

}  // namespace scrollgate
