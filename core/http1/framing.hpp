// How a message's body ends: the rules of RFC 9112 section 6, in their strict reading.
//
// Lengths: exactly one Content-Length of 1-18 digits without leading zero; equal duplicates and
// lists are refused. Transfer-Encoding: exactly one field that says "chunked" and nothing else, on
// HTTP/1.1 and without Content-Length. One pass over the fields, no allocation. Any thread.
#pragma once

#include "core/message.hpp"
#include "core/result.hpp"

namespace scrollgate::http1 {

/// Framing of a request. Other codings in a well-formed list (`gzip`, `identity`, `gzip, chunked`)
/// are coding_unknown; everything else that is not one plain `chunked` (empty, quoted, with
/// parameters, `chunked` twice or not last), and every other fault, is bad_framing. A request
/// without either field has no body; with Content-Length it may have one whatever its method.
[[nodiscard]] Result<BodyFraming> request_framing(const RequestHead& head);

/// Framing of a response to `request_method`. Errors are upstream_malformed.
/// 1xx, 204, 304 and answers to HEAD have no body whatever valid fields say, but
/// Transfer-Encoding in a 1xx or 204 is an error (RFC 9112 section 6.1). A 205 has none by
/// definition (RFC 9110 section 15.3.6): it comes out with length 0; a longer or chunked one is
/// an error. Without either field, others end with the connection.
[[nodiscard]] Result<BodyFraming> response_framing(const ResponseHead& head, Method request_method);

/// Whether the connection ends after this message, as its version and Connection say: HTTP/1.1
/// stays open unless `close` is named, HTTP/1.0 only for `keep-alive` (RFC 9112 section 9.3).
[[nodiscard]] bool wants_close(Version version, const HeaderList& fields) noexcept;

/// Whether Connection names so many options that going through them would cost too much; the head
/// parsers refuse such messages.
[[nodiscard]] bool too_many_options(const HeaderList& fields) noexcept;

}  // namespace scrollgate::http1
