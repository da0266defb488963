// The small tables behind HTTP message types (RFC 9110 sections 9 and 15).
#include "core/message.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace scrollgate {

Method method_from(std::string_view text) noexcept {
    switch (text.size()) {
        case 3:
            if (text == "GET") return Method::get;
            if (text == "PUT") return Method::put;
            break;
        case 4:
            if (text == "HEAD") return Method::head;
            if (text == "POST") return Method::post;
            break;
        case 5:
            if (text == "PATCH") return Method::patch;
            if (text == "TRACE") return Method::trace;
            break;
        case 6:
            if (text == "DELETE") return Method::delete_;
            break;
        case 7:
            if (text == "OPTIONS") return Method::options;
            if (text == "CONNECT") return Method::connect;
            break;
        default:
            break;
    }
    return Method::other;
}

bool is_safe(Method method) noexcept {
    return method == Method::get || method == Method::head || method == Method::options ||
           method == Method::trace;
}

bool is_idempotent(Method method) noexcept {
    return is_safe(method) || method == Method::put || method == Method::delete_;
}

std::string_view version_text(Version version) noexcept {
    switch (version) {
        case Version::http10:
            return "1.0";
        case Version::http11:
            return "1.1";
        case Version::http2:
            return "2";
    }
    return "1.1";
}

void RequestHead::clear() noexcept {
    method = Method::get;
    version = Version::http11;
    form = TargetForm::origin;
    method_text = target = scheme = authority = path = query = {};
    has_query = false;
    body = {};
    fields.clear();
}

void ResponseHead::clear() noexcept {
    status = 0;
    version = Version::http11;
    reason = {};
    body = {};
    fields.clear();
}

bool never_has_body(Method method, std::uint16_t status) noexcept {
    return method == Method::head || status == 204 || status == 304;
}

BodyFraming announced_body(const ResponseHead& head, Method method) noexcept {
    using Kind = BodyFraming::Kind;
    if (head.status == 204) return {};
    if (never_has_body(method, head.status)) {
        if (head.body.kind == Kind::length) return head.body;
        const std::string_view text = head.fields.value(Field::content_length);
        BodyFraming framing{Kind::length, 0};
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), framing.length);
        if (text.empty() || parsed.ptr != text.data() + text.size()) return {};
        return framing;
    }
    if (head.body.kind == Kind::chunked || head.body.kind == Kind::until_close)
        return {Kind::chunked, 0};
    return {Kind::length, head.body.length};
}

namespace {

struct Phrase {
    std::uint16_t status;
    std::string_view text;
};

/// In the order of status.
constexpr Phrase phrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};
static_assert(std::ranges::is_sorted(phrases, {}, &Phrase::status));

}  // namespace

std::string_view reason_phrase(std::uint16_t status) noexcept {
    const auto* found = std::ranges::lower_bound(phrases, status, {}, &Phrase::status);
    if (found == std::end(phrases) || found->status != status) return "Unknown";
    return found->text;
}

}  // namespace scrollgate
