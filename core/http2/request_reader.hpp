// RequestReader: makes a RequestHead of the fields of an HTTP/2 request (RFC 9113 section 8.3.1).
//
// nghttp2 has seen to it before that pseudo fields come first, once, and all that must; that names
// are in lower case and none belongs to a connection; that Content-Length is a number and fits the
// DATA. Here is what is left of section 8, and what our HTTP/1 parser refuses, so that a request
// means the same whichever way it came. One worker; no locks.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/arena.hpp"
#include "core/message.hpp"
#include "core/result.hpp"

namespace scrollgate::http2 {

class RequestReader {
  public:
    /// A head begins; it becomes `head`, its text stays in `arena`. Both outlive the reading.
    void begin(RequestHead& head, Arena& arena, std::size_t uri_limit) noexcept;
    /// The next field; views valid in the call only.
    void field(std::string_view name, std::string_view value);
    /// A bound was reached, by this field or one before: end() says header_too_large, and fields
    /// are dropped from here on, but for Content-Type: how an error is told depends on it.
    void overflow(const char* why, std::string_view name, std::string_view value);
    /// The head is whole; `last` if no body follows. Errors are what the client is told.
    [[nodiscard]] Result<void> end(bool last);
    /// Extended CONNECT (RFC 8441): what :protocol said; else empty. The head then looks like the
    /// upgrade of HTTP/1.1 that means the same: a GET.
    [[nodiscard]] std::string_view protocol() const noexcept { return protocol_; }

    /// overflow() was called.
    [[nodiscard]] bool too_large() const noexcept { return too_large_ != nullptr; }

    /// The request is a gRPC call. When end() has judged it well.
    [[nodiscard]] bool grpc() const noexcept { return grpc_; }

  private:
    void pseudo_field(std::string_view name, std::string_view value);
    void join_cookies();
    [[nodiscard]] Result<void> judge_target();
    [[nodiscard]] Result<void> judge_host();

    RequestHead* head_ = nullptr;
    Arena* arena_ = nullptr;
    std::size_t uri_limit_ = 0;
    std::string_view path_, protocol_;
    const char* too_large_ = nullptr;
    unsigned cookies_ = 0;
    bool scheme_unknown_ = false, grpc_ = false;
};

}  // namespace scrollgate::http2
