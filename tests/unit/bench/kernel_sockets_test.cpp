// What the kernel tells about real connections on loopback: who owes whom an answer.
#include "bench/drill/kernel_sockets.hpp"

#include <algorithm>
#include <optional>

#include <doctest/doctest.h>

#include "bench/plan/url.hpp"
#include "tests/support/sockets.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;

namespace {

const KernelSockets& kernel() {
    static const KernelSockets made(::getpid());
    return made;
}

std::optional<KernelSocket> find(const SocketAddress& local) {
    const auto all = kernel().all();
    const auto at = std::find_if(all.begin(), all.end(), [&](const KernelSocket& socket) {
        return !socket.listening && socket.local == local;
    });
    return at == all.end() ? std::nullopt : std::optional(*at);
}

/// A server's side and a client's side of one connection.
struct Pair {
    test::Descriptor listener = test::listening(false);
    test::Descriptor client = test::connect_to(test::address_of(listener.fd));
    std::optional<test::Descriptor> server{};

    void accept() { server.emplace(::accept(listener.fd, nullptr, nullptr)); }
    [[nodiscard]] KernelSocket seen_by_client() const {
        return find(test::address_of(client.fd)).value();
    }
    [[nodiscard]] std::uint64_t requests() const {
        return requests_on(kernel(), ::getpid(), listen_addresses(kernel(), ::getpid()));
    }
    [[nodiscard]] std::uint64_t towards() const {
        return requests_towards(kernel(), test::address_of(listener.fd));
    }
    void say(int fd) const { REQUIRE(::write(fd, "hello", 5) == 5); }
    void hear(int fd) const {
        char bytes[5];
        REQUIRE(::recv(fd, bytes, sizeof bytes, MSG_WAITALL) == 5);
    }
};

}  // namespace

TEST_CASE("a request counts while it waits to be accepted, to be read, and to be answered") {
    Pair pair;
    CHECK(pair.requests() == 0);
    pair.say(pair.client.fd);
    CHECK(pair.requests() == 1);  // nobody has accepted it
    CHECK(pair.towards() == 1);
    pair.accept();
    CHECK(pair.requests() == 1);
    pair.hear(pair.server->fd);
    CHECK(find(test::address_of(pair.server->fd))->unread == 0);
    CHECK(pair.requests() == 1);  // it is being worked on
    pair.say(pair.server->fd);
    CHECK(pair.requests() == 0);
    CHECK(pair.seen_by_client().unread == 5);
    pair.hear(pair.client.fd);
    CHECK(pair.towards() == 0);
    CHECK_FALSE(pair.seen_by_client().we_spoke_last);
}

TEST_CASE("connections of others, and those to other ports, do not count") {
    Pair pair;
    pair.accept();
    pair.say(pair.client.fd);
    CHECK(requests_on(kernel(), ::getppid(), listen_addresses(kernel(), ::getpid())) == 0);
    CHECK(requests_on(kernel(), ::getpid(), {}) == 0);
    CHECK(requests_towards(kernel(), *SocketAddress::from_ip("127.0.0.9", 0)) == 0);
    CHECK(requests_towards(kernel(), test::address_of(pair.client.fd)) == 0);
    pair.hear(pair.server->fd);
}

TEST_CASE("what waits to be accepted is nobody's where several processes could take it") {
    Pair pair;
    pair.say(pair.client.fd);
    auto addresses = listen_addresses(kernel(), ::getpid());
    CHECK(std::none_of(addresses.begin(), addresses.end(),
                       [](const ListenAddress& address) { return address.shared; }));
    for (ListenAddress& address : addresses)
        address.shared = true;
    CHECK(requests_on(kernel(), ::getpid(), addresses) == 0);
    CHECK(pair.requests() == 1);
}

TEST_CASE("a listener takes what comes to its address, or to any if it has none") {
    const auto at = [](const char* ip, std::uint16_t port) {
        return *SocketAddress::from_ip(ip, port);
    };
    CHECK(ListenAddress{at("127.0.0.1", 80)}.takes(at("127.0.0.1", 80)));
    CHECK_FALSE(ListenAddress{at("127.0.0.1", 80)}.takes(at("127.0.0.2", 80)));
    CHECK_FALSE(ListenAddress{at("127.0.0.1", 80)}.takes(at("127.0.0.1", 81)));
    CHECK(ListenAddress{at("0.0.0.0", 80)}.takes(at("127.0.0.2", 80)));
    CHECK(ListenAddress{at("::", 80)}.takes(at("127.0.0.2", 80)));
}

TEST_CASE("a process that is not there has no namespace") {
    CHECK_THROWS_AS(KernelSockets(1 << 22), BadInput);
}
