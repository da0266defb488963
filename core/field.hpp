// The header field names that the proxy itself acts upon, as small integers.
//
// A name is looked up once, when its field is parsed; everything after compares integers.
#pragma once

#include <cstdint>
#include <string_view>

namespace scrollgate {

enum class Field : std::uint8_t {
    unknown,
    accept,
    accept_encoding,
    accept_language,
    age,
    authorization,
    cache_control,
    cache_status,
    cache_tag,
    cdn_cache_control,
    connection,
    content_encoding,
    content_length,
    content_location,
    content_range,
    content_type,
    cookie,
    date,
    etag,
    expect,
    expires,
    forwarded,
    grpc_status,
    grpc_timeout,
    host,
    http2_settings,
    idempotency_key,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    keep_alive,
    last_modified,
    location,
    max_forwards,
    origin,
    pragma,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    range,
    referer,
    retry_after,
    sec_websocket_accept,
    sec_websocket_key,
    server,
    set_cookie,
    surrogate_control,
    surrogate_key,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    vary,
    via,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_proto,
    x_real_ip,
    x_request_id,
    x_scrollgate_explain,
};

/// The id of a field name, compared without case; Field::unknown for any other. Any thread.
[[nodiscard]] Field field_id(std::string_view name) noexcept;

/// The canonical spelling ("Content-Length"); empty for Field::unknown.
[[nodiscard]] std::string_view field_name(Field id) noexcept;

/// The subject of the certificate that the client has shown, as we or a trusted proxy saw it. No
/// id: nothing but its forwarding looks for it.
inline constexpr std::string_view client_subject_name = "X-Client-Cert-Subject";

/// ASCII case-insensitive equality (RFC 9110 section 5.1).
[[nodiscard]] bool equal_no_case(std::string_view a, std::string_view b) noexcept;

}  // namespace scrollgate
