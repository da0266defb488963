// The authority of a request: `host` or `host:port` (RFC 3986 section 3.2, RFC 9110 section 7.2).
#pragma once

#include <string_view>

namespace scrollgate::http1 {

/// Whether `text` is a host with an optional port in our strict reading: a registered name of at
/// most 255 bytes without empty labels (one trailing dot is fine), an IPv4 address, or an IPv6
/// address in brackets; a port of 1-65535 without leading zero. No user information, no '%', no
/// ',', no zone, no empty port: two parsers could take those differently. Any thread.
[[nodiscard]] bool valid_authority(std::string_view text) noexcept;

/// The same, with the port being required (the target of CONNECT).
[[nodiscard]] bool valid_host_and_port(std::string_view text) noexcept;

}  // namespace scrollgate::http1
