// How a message's body ends: the rules of RFC 9112 section 6, in their strict reading, and the
// removal of what belongs to one hop only (RFC 9110 section 7.6.1).
#pragma once

#include "core/message.hpp"
#include "core/result.hpp"

namespace scrollgate::http1 {

/// Framing of a request. Refuses: Transfer-Encoding together with Content-Length, on HTTP/1.0, or
/// other than exactly one "chunked"; several or odd Content-Length values, even equal ones.
[[nodiscard]] Result<BodyFraming> request_framing(const RequestHead& head);

/// Framing of a response to `request_method`. Errors are upstream_malformed.
[[nodiscard]] Result<BodyFraming> response_framing(const ResponseHead& head, Method request_method);

/// "keep-alive" and "close" as the message's version and Connection say (RFC 9112 9.3).
[[nodiscard]] bool wants_close(Version version, const HeaderList& fields) noexcept;

}  // namespace scrollgate::http1
