#include "proxy/admin/gate.hpp"

#include <algorithm>

#include "core/field.hpp"
#include "proxy/admin/answers.hpp"
#include "proxy/admin/token.hpp"

namespace scrollgate {

Gate::Gate(const config::Admin& admin, std::string secret)
    : secret_(std::move(secret)), loopback_(admin.bind.is_loopback()) {
    if (const auto parts = parse_host_port(admin.address)) host_ = parts->host;
}

bool Gate::right_host(const http1::HttpRequest& request) const {
    const auto is_host = [](const auto& field) { return equal_no_case(field.first, "host"); };
    if (std::count_if(request.headers.begin(), request.headers.end(), is_host) != 1) return false;
    const auto parts = parse_host_port(request.header("host"));
    if (!parts || parts->host.empty()) return false;
    return equal_no_case(parts->host, "localhost") || equal_no_case(parts->host, host_) ||
           SocketAddress::from_ip(parts->host, 0).has_value();
}

bool Gate::has_token(const http1::HttpRequest& request) const {
    static constexpr std::string_view scheme = "Bearer ";
    const std::string_view value = request.header("authorization");
    return value.size() > scheme.size() && equal_no_case(value.substr(0, scheme.size()), scheme) &&
           same_secret(value.substr(scheme.size()), secret_);
}

std::optional<http1::HttpResponse> Gate::refusal(const http1::HttpRequest& request,
                                                 Access access) const {
    if (!right_host(request)) {
        return admin_error(403, "wrong_host",
                           "Host must be an IP address, localhost or the name in admin.address");
    }
    const std::string_view origin = request.header("origin");
    if (!origin.empty() &&
        !equal_no_case(origin, "http://" + std::string(request.header("host")))) {
        return admin_error(403, "wrong_origin", "requests from pages of other sites are refused");
    }
    const bool needs_token = access == Access::change || (access == Access::read && !loopback_);
    if (!needs_token || has_token(request)) return {};
    http1::HttpResponse response =
        admin_error(401, "token_required",
                    "send the content of admin.token_file as Authorization: Bearer <token>");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"scrollgate admin\"");
    return response;
}

}  // namespace scrollgate
