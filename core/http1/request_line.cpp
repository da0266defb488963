// Method, target and version from left to right; meaning is judged once the line is complete.
#include "core/http1/request_line.hpp"

#include <algorithm>

#include "core/http1/authority.hpp"
#include "core/http1/bytes.hpp"

namespace scrollgate::http1 {
namespace {

using Status = LineResult::Status;

constexpr std::size_t longest_method = 32;
constexpr std::string_view version_end = "HTTP/d.d\r\n";  // d stands for a digit

LineResult need(std::size_t checked = 0) {
    return {Status::need_more, checked};
}

LineResult fail(ErrorKind kind, const char* detail) {
    return {Status::failed, 0, kind, detail};
}

LineResult malformed(const char* detail) {
    return fail(ErrorKind::bad_request, detail);
}

/// Version and line end; `rest` starts behind the second space.
LineResult read_version(std::string_view rest, Version& version) {
    if (rest.starts_with("HTTP/1.1\r\n")) {
        version = Version::http11;
        return {Status::complete};
    }
    const std::size_t have = std::min(rest.size(), version_end.size());
    for (std::size_t i = 0; i < have; ++i) {
        const char want = version_end[i];
        if (want == 'd' ? !is_digit(rest[i]) : rest[i] != want) {
            return malformed(i < 8 ? "no HTTP version" : "request line does not end in CRLF");
        }
    }
    if (have < version_end.size()) return need();
    if (!rest.starts_with("HTTP/1.0")) {
        return fail(ErrorKind::version_unsupported, "HTTP version is neither 1.0 nor 1.1");
    }
    version = Version::http10;
    return {Status::complete};
}

void split_path(std::string_view text, RequestHead& head) noexcept {
    const std::size_t mark = text.find('?');
    head.has_query = mark != std::string_view::npos;
    head.path = text.substr(0, mark);
    head.query = head.has_query ? text.substr(mark + 1) : std::string_view{};
}

const char* split_absolute(std::string_view target, RequestHead& head) noexcept {
    head.form = TargetForm::absolute;
    const std::size_t colon = target.find("://");
    if (colon == std::string_view::npos) return "target has no known form";
    const std::string_view scheme = target.substr(0, colon);
    if (equal_no_case(scheme, "http")) {
        head.scheme = "http";
    } else if (equal_no_case(scheme, "https")) {
        head.scheme = "https";
    } else {
        return "scheme is neither http nor https";
    }
    const std::string_view rest = target.substr(colon + 3);
    const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
    head.authority = rest.substr(0, slash);
    if (!valid_authority(head.authority)) return "authority of the target is malformed";
    split_path(rest.substr(slash), head);
    if (head.path.empty()) {  // RFC 9112 section 3.2.4 for OPTIONS, RFC 9110 section 4.2.3 else
        head.path = head.method == Method::options && !head.has_query ? "*" : "/";
        if (head.path == "*") head.form = TargetForm::asterisk;
    }
    return nullptr;
}

/// What the complete line means.
LineResult judge(RequestHead& head, std::size_t length) {
    head.method = method_from(head.method_text);
    if (const char* why = split_target(head.target, head)) return malformed(why);
    if (head.method == Method::trace || head.method == Method::connect) {
        return fail(ErrorKind::method_refused, "TRACE and CONNECT are not served");
    }
    return {Status::complete, length};
}

}  // namespace

const char* split_target(std::string_view target, RequestHead& head) noexcept {
    if (head.method == Method::connect) {
        head.form = TargetForm::authority;
        head.authority = target;
        return valid_host_and_port(target) ? nullptr : "CONNECT needs host:port";
    }
    if (target.front() == '/') {
        head.form = TargetForm::origin;
        split_path(target, head);
        return nullptr;
    }
    if (target == "*") {
        head.form = TargetForm::asterisk;
        head.path = target;
        return head.method == Method::options ? nullptr : "target * without OPTIONS";
    }
    return split_absolute(target, head);
}

LineResult read_request_line(std::string_view bytes, std::size_t checked, std::size_t uri_limit,
                             RequestHead& head) {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin;
    if (p != end && *p == '\r') {
        if (end - p < 2) return need();
        if (p[1] != '\n') return malformed("bare CR");
        p += 2;
    }

    const char* const method = p;
    p = skip<token_bytes>(p, end);
    const auto method_length = static_cast<std::size_t>(p - method);
    if (method_length > longest_method) return malformed("method is too long");
    if (p == end) return need();
    if (*p != ' ' || method_length == 0) return malformed("malformed method");
    head.method_text = {method, method_length};

    const char* const target = ++p;
    p = skip<target_bytes>(std::max(p, begin + checked), end);
    const auto target_length = static_cast<std::size_t>(p - target);
    if (target_length > uri_limit) return fail(ErrorKind::uri_too_long, "target is too long");
    const auto seen = static_cast<std::size_t>(p - begin);
    if (p == end) return need(seen);
    if (*p == '\r' || *p == '\n') return malformed("request line without a version");
    if (*p != ' ') return malformed("byte that no target may hold");
    if (target_length == 0) return malformed("empty target, or more than one space");
    head.target = {target, target_length};

    const LineResult version = read_version(bytes.substr(seen + 1), head.version);
    if (version.status == Status::need_more) return need(seen);
    if (version.status == Status::failed) return version;
    return judge(head, seen + 1 + version_end.size());
}

}  // namespace scrollgate::http1
