// The command line: finds the command, loads what it needs, hands over.
#include <charconv>
#include <cmath>
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
#include "proxy/cli/cache_commands.hpp"
#include "proxy/cli/explain_command.hpp"
#include "proxy/cli/pool_commands.hpp"
#include "proxy/demo/demo_command.hpp"
#include "proxy/server/server.hpp"

namespace {

using namespace scrollgate;

struct Arguments {
    std::string file{config::default_config_file};
    std::string from;
    std::vector<std::string> to;
    TargetOptions target;
    std::string pool, address, span;
    ScaleRequest scale;
    std::string url;
    std::vector<std::string> headers;
    SetRequest set;
    PurgeRequest purge;
    WarmRequest warm;
    bool end = false;
    bool json = false;
    bool print_config = false;
};

void print(const std::vector<config::Problem>& problems, const std::string& file) {
    for (const config::Problem& problem : problems)
        fmt::print(stderr, "{}\n", config::to_text(problem, file));
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

/// status and reload.
void add_process_commands(CLI::App& app, Arguments& given, int& result) {
    CLI::App* command = app.add_subcommand("status", "what a running scrollgate does");
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
}

/// For CLI11's check(): what a shell variable that is not set leaves.
std::string not_empty(const std::string& text) {
    return text.empty() ? "is empty" : "";
}

/// For check(): CLI11 itself would take hexadecimal, nan and inf.
std::string plain_number(const std::string& text, bool whole) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    const bool right = failure == std::errc{} && stop == end && std::isfinite(value);
    if (right && (!whole || value == std::floor(value))) return {};
    return fmt::format("'{}' is not a {}number; write for example {}", text, whole ? "whole " : "",
                       whole ? "4" : "2 or 1.5");
}

void add_scale(CLI::App& app, Arguments& given, int& result) {
    CLI::App* command = app.add_subcommand("scale", "take standbys into service, or out again");
    add_target(*command, given.target);
    CLI::Option* factor = command->add_option("FACTOR", given.scale.factor,
                                              "times the configured number of endpoints, e.g. 2");
    factor->check([](const std::string& text) { return plain_number(text, false); });
    CLI::Option* pool = command->add_option("--pool", given.scale.pool, "one pool; else all");
    pool->check(not_empty);
    command->add_option("--active", given.scale.active, "how many endpoints, of one pool")
        ->check([](const std::string& text) { return plain_number(text, true); })
        ->needs(pool)
        ->excludes(factor);
    command->callback([&] {
        if (!given.scale.factor && !given.scale.active) {
            throw CLI::RequiredError("FACTOR, or --active N");
        }
        result = with_target(given, [&](const AdminTarget& target, const Console& console) {
            return run_scale(target, given.scale, console);
        });
    });
}

void add_drain(CLI::App& app, Arguments& given, int& result, const char* name, const char* help,
               int (*run)(const AdminTarget&, const std::string&, const std::string&,
                          const Console&)) {
    CLI::App* command = app.add_subcommand(name, help);
    add_target(*command, given.target);
    command->add_option("POOL", given.pool, "its pool")->required()->check(not_empty);
    command->add_option("ADDRESS", given.address, "as status shows it, IP:PORT")
        ->required()
        ->check(not_empty);
    command->callback([&given, &result, run] {
        result = with_target(given, [&](const AdminTarget& target, const Console& console) {
            return run(target, given.pool, given.address, console);
        });
    });
}

void add_fail(CLI::App& app, Arguments& given, int& result) {
    CLI::App* command =
        app.add_subcommand("fail", "treat a pool as lost, to see what happens; --end ends it");
    add_target(*command, given.target);
    command->add_option("POOL", given.pool, "the pool")->required()->check(not_empty);
    CLI::Option* span =
        command->add_option("--for", given.span, "how long, e.g. 30s; else until --end");
    span->check(not_empty);
    command->add_flag("--end", given.end, "put the pool back")->excludes(span);
    command->callback([&] {
        result = with_target(given, [&](const AdminTarget& target, const Console& console) {
            return given.end ? run_unfail(target, given.pool, console)
                             : run_fail(target, given.pool, given.span, console);
        });
    });
}

/// What a cache command does with its target.
void on_target(CLI::App& command, Arguments& given, int& result, const auto& run) {
    add_target(command, given.target);
    command.callback([&given, &result, run] { result = with_target(given, run); });
}

void add_cache_objects(CLI::App& cache, Arguments& given, int& result) {
    const char* const what = "a URL, or a bare key, which is served at /_cache/KEY";
    CLI::App* command = cache.add_subcommand("get", "write what is stored to standard output");
    command->add_option("URL", given.url, what)->required()->check(not_empty);
    on_target(*command, given, result, [&given](const auto& target, const Console& console) {
        return run_cache_get(target, given.url, console);
    });

    command = cache.add_subcommand("set", "store something by hand");
    command->add_option("URL", given.set.url, what)->required()->check(not_empty);
    CLI::Option* file =
        command->add_option("FILE", given.set.file, "what to store; -: what comes in");
    CLI::Option* value = command->add_option("--value", given.set.value, "or this text");
    file->excludes(value);
    command->add_option("--ttl", given.set.ttl, "how long it is served, e.g. 1h")->required();
    command->add_option("--type", given.set.type, "its Content-Type");
    on_target(*command, given, result, [&given](const auto& target, const Console& console) {
        if (given.set.file.empty() && !given.set.value) {
            throw CLI::RequiredError("FILE, or --value TEXT");
        }
        return run_cache_set(target, given.set, console);
    });

    command = cache.add_subcommand("rm", "take out what is stored, with all its variants");
    command->add_option("URL", given.url, what)->required()->check(not_empty);
    on_target(*command, given, result, [&given](const auto& target, const Console& console) {
        return run_cache_rm(target, given.url, console);
    });
}

void add_cache(CLI::App& app, Arguments& given, int& result) {
    CLI::App* cache = app.add_subcommand("cache", "look into the cache of a running scrollgate");
    cache->require_subcommand(1);
    add_cache_objects(*cache, given, result);

    CLI::App* command = cache->add_subcommand("purge", "forget what is stored");
    CLI::Option_group* what = command->add_option_group("what");
    what->add_option("URL", given.purge.url, "in all variants; both schemes if it names none");
    what->add_option("--prefix", given.purge.prefix, "all URLs that begin so");
    what->add_option("--tag", given.purge.tag, "all that has this Surrogate-Key or Cache-Tag");
    what->add_flag("--all", given.purge.all, "everything");
    what->require_option(1);
    command->add_flag("--soft", given.purge.soft, "keep it for the case that the origin fails");
    on_target(*command, given, result, [&given](const auto& target, const Console& console) {
        return run_cache_purge(target, given.purge, console);
    });

    command = cache->add_subcommand("warm", "fetch URLs into the cache");
    command->add_option("URL", given.warm.urls, "what clients ask for");
    command->add_option("--file", given.warm.file, "more, one per line; -: what comes in");
    command->add_option("--rate", given.warm.rate, "fetches per second, e.g. 100")
        ->check([](const std::string& text) { return plain_number(text, false); });
    command->add_flag("!--no-wait", given.warm.wait, "only tell the job's number");
    on_target(*command, given, result, [&given](const auto& target, const Console& console) {
        return run_cache_warm(target, given.warm, console);
    });
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

    add_process_commands(app, given, result);
    add_scale(app, given, result);
    add_drain(app, given, result, "drain", "send an endpoint nothing new", run_drain);
    add_drain(app, given, result, "undrain", "put a drained endpoint back", run_undrain);
    add_fail(app, given, result);
    add_cache(app, given, result);

    command =
        app.add_subcommand("explain", "what a URL would get: route, cache key, pool, and why");
    add_target(*command, given.target);
    command->add_option("URL", given.url, "e.g. http://www.example/path")
        ->required()
        ->check(not_empty);
    command
        ->add_option("-H,--header", given.headers, "of the request, 'Name: value'; may be repeated")
        ->allow_extra_args(false);
    command->callback(
        [&] { result = run_explain(given.target, given.url, given.headers, standard_console()); });

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
