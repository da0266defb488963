#include "proxy/demo/demo_command.hpp"

#include <cstdio>
#include <stdexcept>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/loader.hpp"
#include "core/net/address.hpp"
#include "proxy/demo/demo_origins.hpp"
#include "proxy/demo/presentation.hpp"
#include "proxy/server/server.hpp"

namespace scrollgate::demo {
namespace {

/// Nobody listens on this port of 127.0.0.1.
bool is_free(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const SocketAddress address = *SocketAddress::from_ip("127.0.0.1", port);
    const bool free = ::bind(fd, address.data(), address.size()) == 0;
    ::close(fd);
    return free;
}

/// `first`, or the next free port after it.
std::uint16_t free_port(std::uint16_t first) {
    for (unsigned port = first; port < first + 1000U; ++port) {
        if (is_free(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
    }
    throw std::runtime_error(fmt::format("no free port from {} on", first));
}

}  // namespace

int run_demo(bool print_config) {
    DemoOrigins origins;
    if (const std::string failed = origins.start(); !failed.empty()) {
        throw std::runtime_error(failed);
    }
    const Ports ports{free_port(8080), free_port(9528)};
    const std::string yaml = demo_yaml(origins.origins(), ports);
    if (print_config) {
        fmt::print("{}", yaml);
        return 0;
    }
    config::Loaded loaded = config::load_text(yaml);
    for (const config::Problem& problem : loaded.problems) {
        fmt::print(stderr, "{}\n", config::to_text(problem, "demo"));
    }
    if (!loaded.ok()) return 1;
    Server::Options options;
    options.file = "demo";
    options.on_ready = [&] {
        fmt::print("{}", demo_banner(origins.origins(), ports));
        std::fflush(stdout);
    };
    Server server(std::move(loaded.config), std::move(options));
    return server.run();
}

}  // namespace scrollgate::demo
