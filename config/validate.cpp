#include "config/validate.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "config/suggest.hpp"

namespace scrollgate::config {
namespace {

bool is_unspecified(const SocketAddress& address) {
    const std::string ip = address.ip();
    return ip == "0.0.0.0" || ip == "::";
}

/// Can only one of the two be listened on? Port 0 is a different port each time.
bool clash(const SocketAddress& a, const SocketAddress& b) {
    if (a.port() == 0 || a.port() != b.port()) return false;
    return a == b || (a.family() == b.family() && (is_unspecified(a) || is_unspecified(b)));
}

}  // namespace

void Validator::error(const std::string& path, std::string message) {
    const Mark mark = reader_.place(path);
    reader_.problems().push_back(
        {Problem::Severity::error, mark.line, mark.column, path, std::move(message)});
}

void Validator::warning(const std::string& path, std::string message) {
    error(path, std::move(message));
    reader_.problems().back().severity = Problem::Severity::warning;
}

bool Validator::reported(const std::string& path) const {
    const auto& problems = reader_.problems();
    return std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
        return problem.path.starts_with(path) &&
               (problem.path.size() == path.size() || problem.path[path.size()] == '.' ||
                problem.path[path.size()] == '[');
    });
}

void Validator::run() {
    listeners();
    admin();
    dns();
    pools();
    routes();
    cache();
}

void Validator::listeners() {
    if (config_.listeners.empty() && reader_.present("listeners") && !reported("listeners"))
        error("listeners", "at least one listener is needed, such as { address: 0.0.0.0:8080 }");
    std::map<std::string, std::size_t> addresses, names;
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
        const Listener& listener = config_.listeners[i];
        const std::string path = fmt::format("listeners[{}]", i);
        listener_tls(listener, path);
        if (listener.address.empty()) continue;
        if (listener.bind.port() != 0) {
            const auto [first, fresh] = addresses.emplace(listener.bind.text(), i);
            if (!fresh) {
                error(path + ".address", fmt::format("{} is the address of listeners[{}] already",
                                                     listener.bind.text(), first->second));
                continue;
            }
        }
        const auto [first, fresh] = names.emplace(listener.name, i);
        if (!fresh)
            error(path + ".name", fmt::format("{} is the name of listeners[{}] already",
                                              quoted(listener.name), first->second));
    }
}

void Validator::admin() {
    if (!config_.admin) return;
    const Admin& admin = *config_.admin;
    if (!admin.bind.is_loopback() && !reader_.present("admin.token_file"))
        error("admin.address", fmt::format("{} can be reached from elsewhere: set token_file, too, "
                                           "or use 127.0.0.1:{}",
                                           admin.bind.text(), admin.bind.port()));
    const auto against = [&](const SocketAddress& address, const std::string& path) {
        for (std::size_t i = 0; i < config_.listeners.size(); ++i)
            if (!config_.listeners[i].address.empty() && clash(address, config_.listeners[i].bind))
                error(path, fmt::format("{} is taken by listeners[{}] ({})", address.text(), i,
                                        config_.listeners[i].bind.text()));
    };
    against(admin.bind, "admin.address");
    if (!admin.probes) return;
    against(*admin.probes, "admin.probes");
    if (clash(*admin.probes, admin.bind))
        error("admin.probes", fmt::format("{} is taken by admin.address; probes: none is enough if "
                                          "one address serves both",
                                          admin.probes->text()));
}

void Validator::dns() {
    const Dns& dns = config_.dns;
    if (dns.max_ttl >= dns.min_ttl || reported("dns")) return;
    const bool given = reader_.present("dns.max_ttl");
    error(given ? "dns.max_ttl" : "dns.min_ttl",
          fmt::format("max_ttl ({}) is shorter than min_ttl ({})", duration_text(dns.max_ttl),
                      duration_text(dns.min_ttl)));
}

void Validator::routes() {
    if (config_.routes.empty() && reader_.present("routes") && !reported("routes"))
        error("routes", "at least one route is needed, such as { pools: [ aws ] }");
    std::map<std::string_view, std::size_t> names;
    const std::vector<std::size_t> shadows = shadowed_by(config_.routes);
    for (std::size_t i = 0; i < config_.routes.size(); ++i) {
        const config::Route& one = config_.routes[i];
        const std::string path = fmt::format("routes[{}]", i);
        route(one, path);
        const auto [first, fresh] = names.emplace(one.name, i);
        const bool given = reader_.present(path + ".name");
        const std::size_t by = shadows[i];
        if (!fresh && (given || !reported(path)))
            error(given ? path + ".name" : path,
                  fmt::format("{} is the name of routes[{}] already; {}", quoted(one.name),
                              first->second,
                              given ? "names are unique"
                                    : "set a name of its own, as the match is the same"));
        else if (by != i && !reported(path) && !reported(fmt::format("routes[{}]", by)))
            warning(path, fmt::format("never matches: routes[{}] ({}) comes first and takes all "
                                      "its requests",
                                      by, config_.routes[by].name));
    }
}

void Validator::route(const config::Route& route, const std::string& path) {
    route_match(route, path);
    route_target(route, path);
    route_pools(route, path);
    route_splits(route, path);
    route_balance(route, path);
    route_cache(route, path + ".cache");
    if (route.rewrite) route_rewrite(route, path);
    if (route.respond && !route.respond->body.empty()) {
        const std::uint16_t status = route.respond->status;
        if (status == 204 || status == 205 || status == 304)
            error(path + ".respond.body",
                  fmt::format("an answer with status {} has no body", status));
    }
}

void Validator::route_match(const config::Route& route, const std::string& path) {
    const Match& match = route.match;
    const std::array<std::pair<const char*, bool>, 3> given = {{
        {"path_prefix", !match.path_prefix.empty()},
        {"path_exact", !match.path_exact.empty()},
        {"path_regex", !match.path_regex.empty()},
    }};
    const char* first = nullptr;
    for (const auto& [name, is_set] : given) {
        if (!is_set) continue;
        if (first != nullptr)
            error(fmt::format("{}.match.{}", path, name),
                  fmt::format("only one of path_prefix, path_exact and path_regex is possible; {} "
                              "is set",
                              first));
        else
            first = name;
    }
    if (match.listener.empty() || reported("listeners")) return;
    std::vector<std::string_view> names;
    for (const Listener& listener : config_.listeners)
        names.push_back(listener.name);
    if (std::find(names.begin(), names.end(), match.listener) == names.end())
        error(path + ".match.listener",
              fmt::format("no listener is named {}{}", quoted(match.listener),
                          did_you_mean(match.listener, names)));
}

void Validator::route_target(const config::Route& route, const std::string& path) {
    const bool pools = !route.pools.empty() || reported(path + ".pools");
    const bool redirect = route.redirect.has_value(), respond = route.respond.has_value();
    const int targets = int{pools} + int{redirect} + int{respond};
    if (targets == 0 && !reported(path)) error(path, "a route needs pools, redirect or respond");
    if (targets > 1) {
        const char* second = respond ? "respond" : "redirect";
        const char* first = pools ? "pools" : "redirect";
        error(fmt::format("{}.{}", path, second),
              fmt::format("a route with {} cannot have {}, too", first, second));
    }
    if (pools) return;
    const char* answer = redirect ? "redirect" : "respond";
    if (route.rewrite && targets > 0)
        error(path + ".rewrite",
              fmt::format("a route with {} forwards nothing that could be rewritten", answer));
}

}  // namespace scrollgate::config
