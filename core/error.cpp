#include "core/error.hpp"

#include <array>

namespace scrollgate {
namespace {

using K = ErrorKind;
using S = Side;
using G = grpc::Status;

constexpr std::array<ErrorFacts, error_kinds> table{{
    {K::bad_request, S::client, 400, G::internal, "bad_request", false},
    {K::bad_framing, S::client, 400, G::internal, "bad_framing", false},
    {K::bad_host, S::client, 400, G::internal, "bad_host", false},
    {K::bad_path, S::client, 400, G::internal, "bad_path", false},
    {K::bad_chunk, S::client, 400, G::internal, "bad_chunk", false},
    {K::header_timeout, S::client, 408, G::deadline_exceeded, "client_header_timeout", false},
    {K::body_timeout, S::client, 408, G::deadline_exceeded, "client_body_timeout", false},
    {K::body_too_large, S::client, 413, G::resource_exhausted, "body_too_large", false},
    {K::length_required, S::client, 411, G::internal, "length_required", false},
    {K::uri_too_long, S::client, 414, G::resource_exhausted, "uri_too_long", false},
    {K::header_too_large, S::client, 431, G::resource_exhausted, "header_too_large", false},
    {K::method_refused, S::client, 405, G::unimplemented, "method_refused", false},
    {K::expectation_failed, S::client, 417, G::internal, "expectation_failed", false},
    {K::coding_unknown, S::client, 501, G::unimplemented, "coding_unknown", false},
    {K::version_unsupported, S::client, 505, G::unimplemented, "version_unsupported", false},
    {K::only_if_cached, S::client, 504, G::unavailable, "only_if_cached", false},
    {K::loop_detected, S::client, 508, G::internal, "loop_detected", false},
    {K::misdirected, S::client, 421, G::unavailable, "misdirected", false},
    {K::plain_on_tls, S::client, 400, G::internal, "plain_http_on_tls_port", false},
    {K::tls_on_plain, S::client, 400, G::internal, "tls_on_plain_port", false},
    {K::client_closed, S::client, 499, G::cancelled, "client_closed", false},
    {K::client_stalled, S::client, 499, G::cancelled, "client_stalled", false},
    {K::connect_refused, S::upstream, 502, G::unavailable, "connect_refused", true},
    {K::connect_timeout, S::upstream, 504, G::unavailable, "connect_timeout", true},
    {K::connect_failed, S::upstream, 502, G::unavailable, "connect_failed", true},
    {K::upstream_reset, S::upstream, 502, G::unavailable, "upstream_reset", true},
    {K::upstream_timeout, S::upstream, 504, G::deadline_exceeded, "upstream_timeout", true},
    {K::upstream_malformed, S::upstream, 502, G::internal, "upstream_malformed", true},
    {K::upstream_truncated, S::upstream, 502, G::unavailable, "upstream_truncated", true},
    {K::upstream_stalled, S::upstream, 504, G::deadline_exceeded, "upstream_stalled", true},
    {K::upstream_refused, S::upstream, 503, G::unavailable, "upstream_refused", false},
    {K::upgrade_unknown, S::upstream, 502, G::internal, "upgrade_unknown", false},
    {K::upstream_unresolved, S::upstream, 503, G::unavailable, "upstream_unresolved", false},
    {K::no_endpoint, S::upstream, 503, G::unavailable, "no_endpoint", false},
    {K::no_route, S::internal, 404, G::unimplemented, "no_route", false},
    {K::request_timeout, S::internal, 504, G::deadline_exceeded, "request_timeout", false},
    {K::overloaded, S::internal, 503, G::resource_exhausted, "overloaded", false},
    {K::shutting_down, S::internal, 503, G::unavailable, "shutting_down", false},
    {K::cancelled, S::internal, 499, G::cancelled, "cancelled", false},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (static_cast<std::size_t>(table[i].kind) != i) return false;
    }
    return true;
}
static_assert(in_order(), "the table follows the order of ErrorKind");

}  // namespace

const ErrorFacts& facts(ErrorKind kind) noexcept {
    return table[static_cast<std::size_t>(kind)];
}

}  // namespace scrollgate
