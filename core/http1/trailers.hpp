// Which fields may travel behind a body (RFC 9110 section 6.5.1).
#pragma once

#include "core/header_list.hpp"

namespace scrollgate::http1 {

/// Whether a field of a trailer section may be passed on. Everything that the proxy itself or a
/// recipient acts upon before the body (framing, routing, authentication, caching, forwarding,
/// cookies, content metadata) may not: merged into a head, it would forge one. Thus no field with
/// a known id passes but grpc-status, which belongs there; nor certain others, by name and prefix.
/// Any thread.
[[nodiscard]] bool may_be_trailer(const HeaderField& field) noexcept;
/// The same of a gRPC call, whose metadata may have underscores: not where the name with dashes
/// could not be a trailer.
[[nodiscard]] bool may_be_grpc_trailer(const HeaderField& field) noexcept;

}  // namespace scrollgate::http1
