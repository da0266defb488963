// HTTP messages as the pipeline sees them: the same for HTTP/1 and HTTP/2 (RFC 9110).
//
// All views point into memory that the Exchange keeps alive until it ends. What a version does on
// the wire (request line, pseudo fields, chunked) stays inside its end.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/header_list.hpp"

namespace scrollgate {

/// Methods with a meaning for the proxy; every other token is `other` (RFC 9110 section 9).
enum class Method : std::uint8_t {
    get,
    head,
    post,
    put,
    delete_,
    options,
    patch,
    trace,
    connect,
    other
};

/// From the text of a request line; case matters (RFC 9110 9.1).
[[nodiscard]] Method method_from(std::string_view text) noexcept;
/// GET, HEAD, OPTIONS, TRACE (RFC 9110 9.2.1).
[[nodiscard]] bool is_safe(Method method) noexcept;
/// Safe methods, PUT and DELETE (RFC 9110 9.2.2).
[[nodiscard]] bool is_idempotent(Method method) noexcept;

enum class Version : std::uint8_t { http10, http11, http2 };
/// "1.0", "1.1", "2": as Via and logs write it.
[[nodiscard]] std::string_view version_text(Version version) noexcept;

/// The four shapes of a request target (RFC 9112 section 3.2).
enum class TargetForm : std::uint8_t { origin, absolute, authority, asterisk };

/// How the end of a body is known.
struct BodyFraming {
    enum class Kind : std::uint8_t {
        none,         ///< no body at all
        length,       ///< exactly `length` bytes (may be 0)
        chunked,      ///< self-delimiting: HTTP/1.1 chunked, or a HTTP/2 stream without length
        until_close,  ///< a response that ends with its connection (RFC 9112 6.3, item 8)
    };
    Kind kind = Kind::none;
    std::uint64_t length = 0;

    [[nodiscard]] bool has_body() const noexcept {
        return kind != Kind::none && !(kind == Kind::length && length == 0);
    }
};

struct RequestHead {
    Method method = Method::get;
    Version version = Version::http11;
    TargetForm form = TargetForm::origin;
    std::string_view method_text;
    std::string_view target;     ///< as received
    std::string_view scheme;     ///< of an absolute-form target; else empty
    std::string_view authority;  ///< of an absolute-form target, else of Host; may be empty (1.0)
    std::string_view path;       ///< starts with '/' (or "*" for asterisk form); no query
    std::string_view query;      ///< behind '?', without it
    bool has_query = false;      ///< "/a?" and "/a" are different targets
    BodyFraming body;
    HeaderList fields;

    void clear() noexcept;
};

struct ResponseHead {
    std::uint16_t status = 0;
    Version version = Version::http11;
    std::string_view reason;  ///< as received; may be empty
    BodyFraming body;
    HeaderList fields;

    void clear() noexcept;
};

/// What a final head says about its body's length, in an answer to `method`: for HEAD and 304 that
/// of the body that is not there, if it is known, else none; chunked where only the end will tell.
[[nodiscard]] BodyFraming announced_body(const ResponseHead& head, Method method) noexcept;
/// No body follows the final head, whatever it says (RFC 9110 section 6.4.1).
[[nodiscard]] bool never_has_body(Method method, std::uint16_t status) noexcept;

/// The usual reason phrase of a status; "Unknown" for others (RFC 9110 section 15).
[[nodiscard]] std::string_view reason_phrase(std::uint16_t status) noexcept;

}  // namespace scrollgate
