// The first line of a request: `method SP target SP HTTP-version CRLF` (RFC 9112 section 3).
//
// Exactly one space each, CRLF only. The target is split into the parts that routing needs; its
// path is not yet normalised (that is the guard's work).
#pragma once

#include <cstddef>
#include <string_view>

#include "core/error.hpp"
#include "core/message.hpp"

namespace scrollgate::http1 {

struct LineResult {
    enum class Status : std::uint8_t { complete, need_more, failed };
    Status status = Status::need_more;
    /// Complete: bytes of the line with its CRLF. need_more: target bytes up to here are checked,
    /// to be given as `checked` next time.
    std::size_t at = 0;
    ErrorKind error = ErrorKind::bad_request;
    const char* detail = "";
};

/// Reads the line at the start of `bytes`, after at most one empty line (RFC 9112 section 2.2).
/// `checked` is 0 or what the last call on the same bytes left in `at`. Fills everything of `head`
/// but body and fields. TRACE and CONNECT fail as method_refused once their line is grammatical.
[[nodiscard]] LineResult read_request_line(std::string_view bytes, std::size_t checked,
                                           std::size_t uri_limit, RequestHead& head);

/// Splits a target, whose bytes are checked, by its form (RFC 9112 section 3.2). head.method is
/// set. Returns nullptr, or why it is refused.
[[nodiscard]] const char* split_target(std::string_view target, RequestHead& head) noexcept;

}  // namespace scrollgate::http1
