// The first line of a response: `HTTP-version SP status [SP reason] CRLF` (RFC 9112 section 4).
#pragma once

#include "core/http1/request_line.hpp"

namespace scrollgate::http1 {

/// Reads the line at the start of `bytes` into version, status and reason; failures are
/// upstream_malformed and come with the first byte that fits no status line, so that an HTTP/0.9
/// answer is not waited for. HTTP/1.0 and 1.1, status 100-599. The space before an empty reason
/// may be missing: many origins leave it out. `checked` as for read_request_line.
[[nodiscard]] LineResult read_status_line(std::string_view bytes, std::size_t checked,
                                          ResponseHead& head);

}  // namespace scrollgate::http1
