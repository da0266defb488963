// The command line: finds the command, loads what it needs, hands over.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "config/loader.hpp"
#include "config/paths.hpp"
#include "config/quick.hpp"
#include "core/log.hpp"
#include "proxy/cli/admin_client.hpp"
#include "proxy/demo/demo_command.hpp"
#include "proxy/server/server.hpp"

namespace {

using namespace scrollgate;

struct Arguments {
    std::string file{config::default_config_file};
    std::string from;
    std::vector<std::string> to;
    TargetOptions target;
    bool json = false;
    bool print_config = false;
};

void print(const std::vector<config::Problem>& problems, const std::string& file) {
    for (const config::Problem& problem : problems) {
        const bool warning = problem.severity == config::Problem::Severity::warning;
        fmt::print(stderr, "{}{}\n", warning ? "warning: " : "", config::to_text(problem, file));
    }
}

int check(const std::string& file) {
    const config::Loaded loaded = config::load_file(file);
    print(loaded.problems, file);
    if (!loaded.ok()) return 1;
    fmt::print("{}: fine ({} listeners, {} pools, {} routes)\n", file,
               loaded.config.listeners.size(), loaded.config.pools.size(),
               loaded.config.routes.size());
    return 0;
}

int serve(config::Loaded loaded, const std::string& file, Server::Options options) {
    print(loaded.problems, file);
    if (!loaded.ok()) return 1;
    options.file = file;
    Server server(std::move(loaded.config), std::move(options));
    return server.run();
}

int run(const std::string& file) {
    Server::Options options;
    options.load = [file] { return config::load_file(file); };
    return serve(config::load_file(file), file, std::move(options));
}

int quick_proxy(const Arguments& given) {
    return serve(config::default_config_for_proxy(given.from, given.to), "proxy", {});
}

int with_target(const Arguments& given, const auto& command) {
    const Console console = standard_console();
    const std::optional<AdminTarget> target = find_target(given.target, console);
    return target ? command(*target, console) : 1;
}

void add_file(CLI::App& command, std::string& file) {
    command.add_option("-c,--config", file, "configuration file")->capture_default_str();
}

void add_target(CLI::App& command, TargetOptions& target) {
    command.add_option("-c,--config", target.config_file, "read the admin address from this file");
    command.add_option("--admin", target.admin, "admin address, HOST:PORT");
    command.add_option("--token-file", target.token_file, "file with the admin token");
}

/// The first argument names no command.
bool is_unknown_command(const CLI::App& app, int argc, char** argv) {
    if (argc < 2 || argv[1][0] == '-') return false;
    const auto named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
    return app.get_subcommands(named).empty();
}

int dispatch(int argc, char** argv) {
    Arguments given;
    int result = 0;
    CLI::App app{"Scrollgate: an edge proxy in front of services in several clouds", "scrollgate"};
    app.set_version_flag("--version", "scrollgate " SCROLLGATE_VERSION);
    app.require_subcommand(1);

    CLI::App* command = app.add_subcommand("run", "serve, in the foreground");
    add_file(*command, given.file);
    command->callback([&] { result = run(given.file); });

    command = app.add_subcommand("check", "say everything that is wrong with a file");
    add_file(*command, given.file);
    command->callback([&] { result = check(given.file); });

    command = app.add_subcommand("proxy", "serve without a file");
    command->add_option("--from", given.from, "address to listen on, e.g. :8080")->required();
    command->add_option("--to", given.to, "endpoint, HOST:PORT; may be repeated")->required();
    command->callback([&] { result = quick_proxy(given); });

    command = app.add_subcommand("demo", "three small clouds and the proxy in front, to look at");
    command->add_flag("--print-config", given.print_config, "print the configuration and end");
    command->callback([&] { result = demo::run_demo(given.print_config); });

    command = app.add_subcommand("status", "what a running scrollgate does");
    add_target(*command, given.target);
    command->add_flag("--json", given.json, "as the admin API gives it");
    command->callback([&] {
        result = with_target(given, [&](const AdminTarget& target, const Console& console) {
            return run_status(target, given.json, console);
        });
    });

    command = app.add_subcommand("reload", "make a running scrollgate load its file anew");
    add_target(*command, given.target);
    command->callback([&] { result = with_target(given, run_reload); });

    if (is_unknown_command(app, argc, argv)) {
        fmt::print(stderr, "scrollgate: there is no command '{}'; see: scrollgate --help\n",
                   argv[1]);
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return dispatch(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "scrollgate: {}\n", error.what());
        return 1;
    }
}
