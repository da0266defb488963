// Listening sockets on real loopback ports: a taken port is seen, and a sealed one loses nobody.
#include "proxy/server/listener_set.hpp"

#include <cerrno>

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/sockets.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("an address is opened once per worker, and all of them share the port") {
    const SocketAddress address = free_address();
    ListenerSet set(3);
    CHECK_FALSE(set.has(address));
    REQUIRE(set.open(address) == "");
    CHECK(set.has(address));
    CHECK(set.addresses() == std::vector<SocketAddress>{address});
    const std::vector<int>& sockets = set.sockets(address);
    REQUIRE(sockets.size() == 3);
    for (const int fd : sockets)
        CHECK(port_of(fd) == address.port());
    const Descriptor client = connect_to(address);
    REQUIRE(client.fd >= 0);
    CHECK(accept_any(sockets) == 1);
    set.close(address);
    CHECK_FALSE(set.has(address));
    CHECK(connect_to(address).fd < 0);
}

TEST_CASE("a port that somebody listens on is refused, although they would share it") {
    for (const bool shares : {false, true}) {
        const Descriptor other = listening(shares);
        const SocketAddress address = address_of(other.fd);
        ListenerSet set(2);
        const std::string wrong = set.open(address);
        CHECK(wrong.find(address.text()) != std::string::npos);
        CHECK(wrong.find("another process") != std::string::npos);
        CHECK_FALSE(set.has(address));
    }
}

TEST_CASE("a second set of our own is refused, too, until the first one lets go") {
    const SocketAddress address = free_address();
    ListenerSet second(1);
    {
        ListenerSet first(1);
        REQUIRE(first.open(address) == "");
        CHECK(second.open(address) != "");
        CHECK(first.open(address) != "");  // nor twice by the same
        CHECK(first.sockets(address).size() == 1);
    }
    CHECK(second.open(address) == "");
}

TEST_CASE("an address that this machine does not have is said so") {
    ListenerSet set(1);
    const std::string wrong = set.open(*SocketAddress::from_ip("192.0.2.77", 8080));
    CHECK(wrong.find("192.0.2.77:8080") != std::string::npos);
    CHECK(wrong.find("no such address") != std::string::npos);
}

TEST_CASE("who was queued before the seal is served, and nobody comes after it") {
    const SocketAddress address = free_address();
    ListenerSet set(2);
    REQUIRE(set.open(address) == "");
    std::vector<Descriptor> queued;
    for (int i = 0; i < 20; ++i) {
        queued.push_back(connect_to(address));
        REQUIRE(queued.back().fd >= 0);
    }
    set.seal(address);
    CHECK_FALSE(set.has(address));
    CHECK(set.addresses().empty());
    CHECK(set.open(address) != "");  // it is still closing
    const Descriptor late = start_connect(address);
    CHECK(accept_any(set.sockets(address)) == 20);
    CHECK_FALSE(connected(late.fd));
    set.close(address);
    CHECK_FALSE(connected(late.fd));
    CHECK_FALSE(was_reset(late.fd));  // its SYN was dropped: it will try again
    CHECK(set.open(address) == "");
}
