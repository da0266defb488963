// The three origins over real loopback sockets.
#include "proxy/demo/demo_origins.hpp"

#include <string>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace scrollgate;
using demo::DemoOrigins;

namespace {

/// Everything a peer sends in answer to `text` until it closes; empty if there is no peer.
std::string exchange(const SocketAddress& address, const std::string& text) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    std::string answer;
    if (::connect(fd, address.data(), address.size()) == 0) {
        REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
        char buffer[4096];
        for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
            answer.append(buffer, static_cast<std::size_t>(n));
        }
    }
    ::close(fd);
    return answer;
}

constexpr const char* get = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("three clouds answer on ports of their own until they are stopped") {
    DemoOrigins origins;
    REQUIRE(origins.start() == "");
    REQUIRE(origins.origins().size() == 3);
    for (const demo::Origin& origin : origins.origins()) {
        CAPTURE(origin.provider);
        CHECK(origin.address.is_loopback());
        CHECK(origin.address.port() != 0);
        const std::string answer = exchange(origin.address, get);
        CHECK(answer.starts_with("HTTP/1.1 200 "));
        CHECK(answer.find("X-Cloud: " + origin.provider + "\r\n") != std::string::npos);
        CHECK(answer.ends_with("\r\n\r\nok\n"));
    }
    CHECK(origins.origins()[0].address.port() != origins.origins()[1].address.port());

    origins.stop();
    // Another process may have taken the port by now.
    CHECK(exchange(origins.origins()[0].address, get).find("X-Cloud: ") == std::string::npos);
    origins.stop();
}

TEST_CASE("origins that answer slowly can be stopped at once") {
    DemoOrigins origins;
    REQUIRE(origins.start() == "");
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const SocketAddress& address = origins.origins()[0].address;
    REQUIRE(::connect(fd, address.data(), address.size()) == 0);
    const std::string slow = "GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n";
    REQUIRE(::send(fd, slow.data(), slow.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(slow.size()));
    // An answer on a second connection: the loop has had the first request before it, or soon.
    CHECK(exchange(address, get).starts_with("HTTP/1.1 200 "));
    origins.stop();
    char byte = 0;
    CHECK(::read(fd, &byte, 1) <= 0);
    ::close(fd);
}

TEST_CASE("origins that were never started can be dropped") {
    DemoOrigins origins;
}
