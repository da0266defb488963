#include "health/plans.hpp"

#include <fmt/format.h>

#include "core/limits.hpp"
#include "core/net/proxy_header.hpp"

namespace scrollgate {
namespace {

/// Host of a request to `name`, which may be an IPv6 literal.
std::string host_field(const std::string& name, std::uint16_t port, bool tls = false) {
    const bool v6 = name.find(':') != std::string::npos;
    std::string host = v6 ? "[" + name + "]" : name;
    if (port != (tls ? 443 : 80)) host += fmt::format(":{}", port);
    return host;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace

ProbePlan check_plan(const config::Pool& pool, const config::HealthCheck& check,
                     const Endpoint& endpoint) {
    ProbePlan plan;
    const std::uint16_t port = check.port != 0 ? check.port : endpoint.address.port();
    plan.addresses = {*SocketAddress::from_ip(endpoint.address.ip(), port)};
    plan.timeout = check.timeout;
    plan.dial.tls = endpoint.tls;
    if (endpoint.proxy_protocol == config::Pool::ProxyProtocol::v1)
        plan.dial.preface = proxy_header_v1_local();
    if (endpoint.proxy_protocol == config::Pool::ProxyProtocol::v2)
        plan.dial.preface = proxy_header_v2_local();
    if (check.tcp) return plan;
    plan.kind = check.grpc ? ProbePlan::Kind::grpc : ProbePlan::Kind::http;
    plan.http2 = endpoint.protocol == config::Pool::Protocol::h2 ||
                 endpoint.protocol == config::Pool::Protocol::h2c;
    plan.service = check.grpc.value_or("");
    plan.path = check.path;
    plan.host = pool.host_mode == config::Pool::HostMode::literal
                    ? pool.host_literal
                    : host_field(endpoint.name, endpoint.port, endpoint.tls != nullptr);
    plan.expect = check.expect;
    plan.body = check.body;
    return plan;
}

ProbePlan dependency_plan(const config::Dependency& dependency, Names& names,
                          std::shared_ptr<const TlsTarget> target) {
    ProbePlan plan;
    Names::Answer found = names.find(dependency.host, dependency.port);
    plan.addresses = std::move(found.addresses);
    plan.pending = found.pending;
    switch (dependency.kind) {
        case config::Dependency::Kind::tcp:
            break;
        case config::Dependency::Kind::redis:
            plan.kind = ProbePlan::Kind::redis;
            break;
        case config::Dependency::Kind::http:
            plan.kind = ProbePlan::Kind::http;
            plan.path = dependency.path.empty() ? "/" : dependency.path;
            plan.host = host_field(dependency.host, dependency.port, target != nullptr);
            plan.expect = {{200, 499}};
            break;
    }
    plan.dial.tls = std::move(target);
    return plan;
}

ProbePlan webhook_plan(const config::Webhook& webhook, Names& names,
                       std::shared_ptr<const TlsTarget> target) {
    ProbePlan plan;
    Names::Answer found = names.find(webhook.host, webhook.port);
    plan.kind = ProbePlan::Kind::http;
    plan.addresses = std::move(found.addresses);
    plan.pending = found.pending;
    plan.timeout = limits::webhook_timeout;
    plan.method = "POST";
    plan.path = webhook.path;
    plan.host = host_field(webhook.host, webhook.port, target != nullptr);
    plan.dial.tls = std::move(target);
    return plan;
}

std::string webhook_content(const std::string& pool, const ScaleState& scale) {
    return fmt::format(
        R"({{"pool": {}, "wanted": {}, "in_service": {}, "pending": {}, "why": {}}})", quoted(pool),
        scale.wanted, scale.in_service, scale.pending, quoted(scale.why));
}

}  // namespace scrollgate
