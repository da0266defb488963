#include "bench/plan/url.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/net/address.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::string_view hole = "{n}";

[[noreturn]] void bad_url(std::string_view text, std::string_view why) {
    throw BadInput(fmt::format("'{}' is no usable URL: {}", text, why));
}

}  // namespace

void check_target(std::string_view target) {
    const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
    if (!std::all_of(target.begin(), target.end(), visible))
        throw BadInput(
            fmt::format("'{}': spaces, control bytes and bytes beyond ASCII in a path "
                        "are written as %XX",
                        target));
    const std::size_t first = target.find(hole);
    if (first != std::string_view::npos && target.find(hole, first + 1) != std::string_view::npos)
        throw BadInput(fmt::format("'{}': {{n}} stands at most once", target));
}

TargetUrl parse_url(std::string_view text) {
    TargetUrl url;
    const std::size_t scheme_end = text.find("://");
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https"))
        bad_url(text, "it starts with http:// or https://, as in http://127.0.0.1:8080/");
    url.origin.tls = scheme == "https";
    const std::string_view rest = text.substr(scheme_end + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.find('@') != std::string_view::npos)
        bad_url(text, "a user goes into a header: -H 'Authorization: …'");
    const auto place = parse_host_port(authority);
    if (!place || place->host.empty()) bad_url(text, "its host or port is malformed");
    const bool port_written = authority.back() != ']' && authority.find(':') != authority.npos;
    if (port_written && place->port == 0) bad_url(text, "nobody listens on port 0");
    const std::uint16_t usual = url.origin.tls ? 443 : 80;
    url.origin.host = place->host;
    url.origin.port = place->port != 0 ? place->port : usual;
    url.origin.authority = authority;
    if (url.origin.port == usual && place->port != 0)
        url.origin.authority.resize(authority.rfind(':'));
    const std::string_view target = rest.substr(authority.size());
    url.target = target.substr(0, target.find('#'));
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    check_target(url.target);
    return url;
}

}  // namespace scrollgate::bench
