// What changes about a message on its way through: fields of one hop go, forwarded fields come, the
// route's rules apply. Version-neutral.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Makes x.target what the origin gets, whichever it will be. `path` is the normalised path.
[[nodiscard]] std::optional<Error> prepare_target(Exchange& x, std::string_view path);

/// The client's scheme as the origin is told it: "https", "http", or whatever else a trusted proxy
/// says.
[[nodiscard]] std::string_view told_scheme(const Exchange& x) noexcept;

/// Makes x.request.fields what the origin gets (Host comes with the attempt). When the request goes
/// on, once.
void prepare_fields(Exchange& x);

/// Makes x.response.fields what the client gets, for a 1xx head.
void prepare_interim(Exchange& x);

/// Makes x.response.fields what the client gets. For final heads, local answers included.
void prepare_response(Exchange& x);

/// Makes x.response.fields what a cache may look at: without fields of this hop, and with a Date.
void prepare_for_storing(Exchange& x);

/// The field that a route's `hsts` is about.
inline constexpr std::string_view hsts_name = "Strict-Transport-Security";

/// The answer to x has the route's own Strict-Transport-Security, and no other one: the route says
/// so, and the client came over TLS (RFC 6797 7.2), to us or, as it says, to a trusted proxy.
[[nodiscard]] bool says_hsts(const Exchange& x) noexcept;

/// Adds what each answer says for itself: Via, for a message that came in `received`, the request's
/// id, and Strict-Transport-Security in the place of the origin's.
void add_own_fields(Exchange& x, HeaderList& fields, Version received);

/// The Host that an attempt on `endpoint` sends (pools.*.host).
[[nodiscard]] std::string_view host_for(Exchange& x, const Endpoint& endpoint);

}  // namespace scrollgate
