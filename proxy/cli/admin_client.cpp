#include "proxy/cli/admin_client.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/ostream.h>
#include <unistd.h>

#include "config/loader.hpp"
#include "config/paths.hpp"
#include "core/net/address.hpp"
#include "proxy/cli/ask.hpp"
#include "proxy/cli/status_table.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

constexpr std::uint16_t default_port = 9528;

// A server that listens everywhere is reached on loopback.
std::string reachable(const std::string& host) {
    if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
    return host == "::" ? "::1" : host;
}

std::string problem_line(const json::object& item, const std::string& file) {
    config::Problem problem;
    problem.line = item.at("line").to_number<std::size_t>();
    problem.column = item.at("column").to_number<std::size_t>();
    problem.path = std::string(item.at("path").as_string());
    problem.message = std::string(item.at("message").as_string());
    return config::to_text(problem, file);
}

// Prints what a reload said. Throws std::exception if it is not of the known shape.
int print_reload(const json::object& answer, const Console& console) {
    const bool ok = answer.at("ok").as_bool();
    const std::string file(answer.at("file").as_string());
    if (ok) {
        fmt::print(console.out, "reloaded {}: snapshot {}\n", file,
                   answer.at("snapshot").to_number<std::uint64_t>());
        for (const json::value& difference : answer.at("not_reloadable").as_array())
            fmt::print(console.out, "{}\n", std::string_view(difference.as_string()));
    } else {
        for (const json::value& item : answer.at("errors").as_array()) {
            fmt::print(console.err, "{}\n", problem_line(item.as_object(), file));
        }
        fmt::print(console.err, "not reloaded: the configuration in use stays as it was\n");
    }
    for (const json::value& item : answer.at("warnings").as_array()) {
        fmt::print(console.err, "warning: {}\n", problem_line(item.as_object(), file));
    }
    return ok ? 0 : 1;
}

}  // namespace

Console standard_console() {
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    return {std::cout, std::cerr, terminal && std::getenv("NO_COLOR") == nullptr, terminal};
}

std::optional<AdminTarget> find_target(const TargetOptions& options, const Console& console) {
    AdminTarget target{"127.0.0.1", default_port, config::default_token_file()};
    const bool complete = !options.admin.empty() && !options.token_file.empty();
    const bool named = !options.config_file.empty();
    const std::string file = named ? options.config_file : config::default_config_file;
    const bool readable = access(file.c_str(), R_OK) == 0;
    if (!complete && named && !readable) {
        fmt::print(console.err, "scrollgate: cannot read {}: {}\n", file, std::strerror(errno));
        return {};
    }
    if (!complete && readable) {
        const config::Loaded loaded = config::load_file(file);
        if (const auto& admin = loaded.config.admin) {
            target = {reachable(admin->bind.ip()), admin->bind.port(), admin->token_file};
        } else if (loaded.ok() && options.admin.empty()) {
            fmt::print(console.err,
                       "scrollgate: {} says admin: off, so there is nothing to talk to\n", file);
            return {};
        }
        // A file with errors names what it can: telling them is what a reload is for.
        if (!loaded.ok()) {
            fmt::print(console.err, "scrollgate: {} has errors; asking {}\n", file,
                       options.admin.empty() ? address_text(target) : options.admin);
        }
    }
    if (!options.token_file.empty()) target.token_file = options.token_file;
    if (options.admin.empty()) return target;
    const auto given = parse_host_port(options.admin);
    if (!given) {
        fmt::print(console.err, "scrollgate: --admin {}: not HOST:PORT, such as 127.0.0.1:{}\n",
                   options.admin, default_port);
        return {};
    }
    target.host = reachable(given->host);
    target.port = given->port != 0 ? given->port : default_port;
    return target;
}

int run_status(const AdminTarget& target, bool json_wanted, const Console& console) {
    const Asked asked = ask(target, {"GET", "/api/v1/status"}, console);
    if (!asked.answered) return 1;
    if (asked.status != 200) return unexpected(target, asked, console);
    if (json_wanted) {
        console.out << asked.body << std::flush;
        return 0;
    }
    try {
        console.out << status_table(json::parse(asked.body).as_object(), console.colour)
                    << std::flush;
    } catch (const std::exception&) {
        return unexpected(target, asked, console);
    }
    return 0;
}

int run_reload(const AdminTarget& target, const Console& console) {
    const Asked asked = ask(target, {"POST", "/api/v1/reload", "", true}, console);
    if (!asked.answered) return 1;
    if (asked.status != 200 && asked.status != 422) return unexpected(target, asked, console);
    try {
        return print_reload(json::parse(asked.body).as_object(), console);
    } catch (const std::exception&) {
        return unexpected(target, asked, console);
    }
}

}  // namespace scrollgate
