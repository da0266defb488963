#include "proxy/admin/admin_server.hpp"

#include <optional>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/field.hpp"
#include "core/http1/beast_server.hpp"
#include "proxy/admin/answers.hpp"
#include "proxy/admin/cache_api.hpp"
#include "proxy/admin/config_json.hpp"
#include "proxy/admin/gate.hpp"
#include "proxy/admin/path_pattern.hpp"
#include "proxy/admin/token.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;
using http1::HttpReply;
using http1::HttpRequest;
using http1::HttpResponse;

// A request that passed the gate.
struct AdminCall {
    const AdminHooks& hooks;
    const HttpRequest& request;
    const std::vector<std::string>& parameters;  // of the path
    const HttpReply& reply;
};
using Handler = void (*)(const AdminCall&);
using Kind = PoolCommand::Kind;

void healthz(const AdminCall&);
void readyz(const AdminCall&);
void metrics(const AdminCall&);
void status(const AdminCall&);
void config_(const AdminCall&);
void reload(const AdminCall&);
template <Kind kind>
void command(const AdminCall&);
template <void (*handle)(const CacheCall&)>
void cache(const AdminCall&);
void explain(const AdminCall&);

// Every route of the admin API. A GET answers HEAD, too. The probes address knows Access::probe
// alone. Bodies are JSON, but for those that are kept as they are.
struct AdminRoute {
    std::string_view method, path;
    Access access;
    Handler handler;
    bool any_body = false;
};
constexpr AdminRoute routes[] = {
    {"GET", "/healthz", Access::probe, healthz},
    {"GET", "/readyz", Access::probe, readyz},
    {"GET", "/metrics", Access::probe, metrics},
    {"GET", "/api/v1/status", Access::read, status},
    {"GET", "/api/v1/config", Access::read, config_},
    {"POST", "/api/v1/reload", Access::change, reload},
    {"POST", "/api/v1/scale", Access::change, command<Kind::scale>},
    {"POST", "/api/v1/pools/{pool}/scale", Access::change, command<Kind::scale>},
    {"POST", "/api/v1/pools/{pool}/fail", Access::change, command<Kind::fail>},
    {"DELETE", "/api/v1/pools/{pool}/fail", Access::change, command<Kind::unfail>},
    {"POST", "/api/v1/endpoints/{pool}/{address}/drain", Access::change, command<Kind::drain>},
    {"POST", "/api/v1/endpoints/{pool}/{address}/undrain", Access::change, command<Kind::undrain>},
    {"POST", "/api/v1/cache/purge", Access::change, cache<cache_purge>},
    {"GET", "/api/v1/cache/entries", Access::read, cache<cache_get>},
    {"PUT", "/api/v1/cache/entries", Access::change, cache<cache_put>, true},
    {"DELETE", "/api/v1/cache/entries", Access::change, cache<cache_remove>},
    {"POST", "/api/v1/cache/warm", Access::change, cache<cache_warm>},
    {"GET", "/api/v1/cache/explain", Access::read, explain},
    {"GET", "/api/v1/cache/warm/{job}", Access::read, cache<cache_job>},
};

void healthz(const AdminCall& call) {
    call.reply(text_answer(200, "ok\n"));
}

void readyz(const AdminCall& call) {
    call.reply(call.hooks.ready() ? text_answer(200, "ready\n") : text_answer(503, "not ready\n"));
}

void metrics(const AdminCall& call) {
    HttpResponse response = text_answer(200, call.hooks.metrics());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    call.reply(std::move(response));
}

void status(const AdminCall& call) {
    call.reply(json_answer(200, status_json(call.hooks.status())));
}

void config_(const AdminCall& call) {
    call.reply(json_answer(200, config_json(*call.hooks.config())));
}

json::array problems_json(const std::vector<config::Problem>& problems,
                          config::Problem::Severity severity) {
    json::array all;
    for (const config::Problem& problem : problems) {
        if (problem.severity != severity) continue;
        all.push_back(json::object{{"line", problem.line},
                                   {"column", problem.column},
                                   {"path", problem.path},
                                   {"message", problem.message}});
    }
    return all;
}

void reload(const AdminCall& call) {
    using Severity = config::Problem::Severity;
    call.hooks.reload([reply = call.reply](const ReloadAnswer& answer) {
        json::object body{{"ok", answer.ok}, {"file", answer.file}};
        if (answer.ok) {
            body["snapshot"] = answer.snapshot;
            body["not_reloadable"] =
                json::array(answer.not_reloadable.begin(), answer.not_reloadable.end());
        } else {
            body["errors"] = problems_json(answer.problems, Severity::error);
        }
        body["warnings"] = problems_json(answer.problems, Severity::warning);
        reply(json_answer(answer.ok ? 200 : 422, json::serialize(body)));
    });
}

template <Kind kind>
void command(const AdminCall& call) {
    ParsedCommand parsed = parse_command(kind, call.parameters, call.request.body);
    if (parsed.error) return call.reply(std::move(*parsed.error));
    const PoolCommand asked = parsed.command;
    call.hooks.command(
        std::move(parsed.command),
        [asked, reply = call.reply](const std::string& refused, const HealthStatus& now) {
            reply(command_answer(asked, refused, now));
        });
}

template <void (*handle)(const CacheCall&)>
void cache(const AdminCall& call) {
    handle({call.hooks.cache(), call.request, call.parameters, call.reply});
}

void explain(const AdminCall& call) {
    cache_explain({call.hooks.cache(), call.request, call.parameters, call.reply},
                  call.hooks.status());
}

bool method_fits(std::string_view route, std::string_view method) {
    return route == method || (route == "GET" && method == "HEAD");
}

struct Found {
    const AdminRoute* route = nullptr;
    std::vector<std::string> parameters;
    std::optional<HttpResponse> error;  // without a route
};

// The route for a request, or the error it gets. `probes`: only Access::probe exists.
Found find_route(const HttpRequest& request, bool probes) {
    Found found;
    std::string allowed;
    for (const AdminRoute& route : routes) {
        if (probes && route.access != Access::probe) continue;
        auto parameters = match_path(route.path, request.path);
        if (!parameters) continue;
        if (method_fits(route.method, request.method)) {
            found.route = &route;
            found.parameters = std::move(*parameters);
            return found;
        }
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    if (allowed.empty()) {
        found.error = admin_error(404, "not_found", "there is nothing at this path");
    } else {
        found.error = admin_error(405, "method_not_allowed", "use " + allowed);
        found.error->headers.emplace_back("Allow", allowed);
    }
    return found;
}

bool is_json(std::string_view content_type) {
    const std::string_view type = content_type.substr(0, content_type.find(';'));
    return equal_no_case(type.substr(0, type.find(' ')), "application/json");
}

}  // namespace

struct AdminServer::Impl {
    Impl(boost::asio::io_context& context, const config::Admin& admin_in, AdminHooks hooks_in)
        : admin(admin_in),
          hooks(std::move(hooks_in)),
          server(context, [this](const auto& request, auto reply) { serve(request, reply); }) {
        if (!admin.probes) return;
        probes.emplace(context, [this](const auto& request, auto reply) { probe(request, reply); });
    }

    void serve(const HttpRequest& request, const HttpReply& reply) const;
    void probe(const HttpRequest& request, const HttpReply& reply) const;

    config::Admin admin;
    AdminHooks hooks;
    std::optional<Gate> gate;  // set by start()
    http1::BeastServer server;
    std::optional<http1::BeastServer> probes;
};

void AdminServer::Impl::serve(const HttpRequest& request, const HttpReply& reply) const {
    Found found = find_route(request, false);
    const AdminRoute* route = found.route;
    // The gate comes first for paths that do not exist as well: a stranger learns nothing.
    if (auto refused = gate->refusal(request, route != nullptr ? route->access : Access::read)) {
        return reply(std::move(*refused));
    }
    if (route == nullptr) return reply(std::move(*found.error));
    if (route->access == Access::change && !route->any_body && !request.body.empty() &&
        !is_json(request.header("content-type"))) {
        return reply(admin_error(415, "unsupported_media_type",
                                 "send the body as Content-Type: application/json"));
    }
    route->handler({hooks, request, found.parameters, reply});
}

// No rule about Host here: orchestrators use names of their own, and nothing here changes anything.
void AdminServer::Impl::probe(const HttpRequest& request, const HttpReply& reply) const {
    Found found = find_route(request, true);
    if (found.route == nullptr) return reply(std::move(*found.error));
    found.route->handler({hooks, request, found.parameters, reply});
}

AdminServer::AdminServer(boost::asio::io_context& context, const config::Admin& admin,
                         AdminHooks hooks)
    : impl_(std::make_unique<Impl>(context, admin, std::move(hooks))) {}

AdminServer::~AdminServer() = default;

std::string AdminServer::start() {
    Token token = make_or_read_token(impl_->admin.token_file);
    if (!token.error.empty()) return token.error;
    impl_->gate.emplace(impl_->admin, std::move(token.secret));
    std::string error = impl_->server.listen(impl_->admin.bind);
    if (!error.empty()) {
        return "admin: " + error +
               " (if another scrollgate has it, stop that one or set admin.address; admin: off "
               "does without)";
    }
    if (impl_->probes) {
        error = impl_->probes->listen(*impl_->admin.probes);
        if (!error.empty()) return "admin.probes: " + error + " (choose another address)";
    }
    return {};
}

void AdminServer::stop() noexcept {
    impl_->server.stop();
    if (impl_->probes) impl_->probes->stop();
}

std::uint16_t AdminServer::port() const noexcept {
    return impl_->server.port();
}

std::uint16_t AdminServer::probes_port() const noexcept {
    return impl_->probes ? impl_->probes->port() : std::uint16_t{0};
}

}  // namespace scrollgate
