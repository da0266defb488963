// Matches against a fixed shape, then takes the reason.
#include "core/http1/status_line.hpp"

#include <algorithm>

#include "core/http1/bytes.hpp"

namespace scrollgate::http1 {
namespace {

using Status = LineResult::Status;

constexpr std::string_view shape = "HTTP/1.v sdd";  // v: 0 or 1, s: 1-5, d: a digit

LineResult malformed(const char* detail) {
    return {Status::failed, 0, ErrorKind::upstream_malformed, detail};
}

bool fits(char byte, char want) noexcept {
    switch (want) {
        case 'v':
            return byte == '0' || byte == '1';
        case 's':
            return byte >= '1' && byte <= '5';
        case 'd':
            return is_digit(byte);
        default:
            return byte == want;
    }
}

}  // namespace

LineResult read_status_line(std::string_view bytes, std::size_t checked, ResponseHead& head) {
    const std::size_t have = std::min(bytes.size(), shape.size());
    for (std::size_t i = 0; i < have; ++i) {
        if (!fits(bytes[i], shape[i])) return malformed("not an HTTP/1 status line");
    }
    if (bytes.size() <= shape.size()) return {};
    head.version = bytes[7] == '1' ? Version::http11 : Version::http10;
    head.status = static_cast<std::uint16_t>((bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 +
                                             (bytes[11] - '0'));

    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin + shape.size();
    const char* reason = p;
    if (*p == ' ') {
        reason = ++p;
        p = skip_value(std::max(p, begin + checked), end);
    }
    const auto seen = static_cast<std::size_t>(p - begin);
    if (p == end) return {Status::need_more, seen};
    if (*p != '\r') return malformed("malformed status line");
    if (end - p < 2) return {Status::need_more, seen};
    if (p[1] != '\n') return malformed("bare CR");
    head.reason = {reason, static_cast<std::size_t>(p - reason)};
    return {Status::complete, seen + 2};
}

}  // namespace scrollgate::http1
