// Strict parser for HTTP/1 message heads (RFC 9112 sections 2-5).
//
// It accepts one reading of every byte or none: bare CR or LF, NUL and other control bytes, white
// space before a colon, obs-fold, empty names, bytes above 0x7f in targets and names are refused.
// The caller's buffer is not copied: the head's views point into it, and count only after
// `complete` (after `failed` a request's start line, as far as it was understood, is there for the
// log). Any thread; no allocation but the growth of head.fields.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/error.hpp"
#include "core/message.hpp"

namespace scrollgate::http1 {

struct HeadLimits {
    std::size_t bytes;  ///< of the whole head
    std::size_t fields;
    std::size_t uri;  ///< of the request target
};

struct ParseResult {
    enum class Status : std::uint8_t { complete, need_more, failed };
    Status status = Status::need_more;
    std::size_t consumed = 0;                  ///< bytes of the head, when complete
    ErrorKind error = ErrorKind::bad_request;  ///< when failed
    const char* detail = "";                   ///< static text for the log, when failed
};

/// Parses one request head at the start of `bytes`. One leading CRLF is skipped (RFC 9112 2.2).
/// `scanned` is the parser's memory between calls on a growing buffer, which may move: 0 for a new
/// message, then left alone (it is no offset), so that a head that arrives byte by byte costs
/// linear time. The result does not depend on how the bytes were cut. Fills form, authority,
/// path and query, and `body` by the framing rules (framing.hpp). Limits are judged as early as
/// possible: an overlong line or head fails without waiting for its end.
[[nodiscard]] ParseResult parse_request_head(std::string_view bytes, const HeadLimits& limits,
                                             std::size_t& scanned, RequestHead& head);

/// The same for a response. `request_method` decides about the body (RFC 9112 6.3); every failure
/// is ErrorKind::upstream_malformed. Status codes outside 100-599 are refused. 1xx heads come out
/// with no body.
[[nodiscard]] ParseResult parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                              std::size_t& scanned, Method request_method,
                                              ResponseHead& head);

}  // namespace scrollgate::http1
