// Taking connections off a listening socket: all of them, in turns, and none after the end.
#include "proxy/server/acceptor.hpp"

#include <memory>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "tests/support/sockets.hpp"
#include "tests/support/turns.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

/// An acceptor on a port of its own.
struct Door {
    Door() {
        acceptor = std::make_unique<Acceptor>(
            loop, listener.fd,
            [this](int fd, const SocketAddress& peer) {
                accepted.emplace_back(fd);
                peers.push_back(peer);
            },
            [this](const boost::system::error_code& error) { troubles.push_back(error.value()); });
    }
    void settle() { test::settle(loop); }

    Descriptor listener = listening(false);
    SocketAddress address = address_of(listener.fd);
    EventLoop loop{system_clock(), 1, 528};
    std::vector<Descriptor> accepted;
    std::vector<SocketAddress> peers;
    std::vector<int> troubles;
    std::unique_ptr<Acceptor> acceptor;
};

}  // namespace

TEST_CASE("every connection is handed over, non-blocking, with its peer's address") {
    Door door;
    CHECK(door.acceptor->descriptor() == door.listener.fd);
    std::vector<Descriptor> clients;
    for (int i = 0; i < 100; ++i)  // more than one batch
        clients.push_back(connect_to(door.address));
    door.settle();
    REQUIRE(door.accepted.size() == 100);
    for (const Descriptor& accepted : door.accepted)
        CHECK((::fcntl(accepted.fd, F_GETFL) & O_NONBLOCK) != 0);
    for (std::size_t i = 0; i < clients.size(); ++i)
        CHECK(door.peers[i] == address_of(clients[i].fd));
    clients.push_back(connect_to(door.address));
    door.settle();
    CHECK(door.accepted.size() == 101);
    CHECK(door.troubles.empty());
}

TEST_CASE("draining takes what is queued without a turn of the loop") {
    Door door;
    std::vector<Descriptor> clients;
    for (int i = 0; i < 70; ++i)
        clients.push_back(connect_to(door.address));
    door.acceptor->drain();
    CHECK(door.accepted.size() == 70);
    door.settle();
    CHECK(door.accepted.size() == 70);
}

TEST_CASE("an acceptor that is gone takes nobody and leaves the socket open") {
    Door door;
    const Descriptor queued = connect_to(door.address);
    door.acceptor.reset();
    door.settle();
    CHECK(door.accepted.empty());
    CHECK(port_of(door.listener.fd) == door.address.port());
    door.acceptor = std::make_unique<Acceptor>(
        door.loop, door.listener.fd,
        [&](int fd, const SocketAddress&) { door.accepted.emplace_back(fd); },
        [](const boost::system::error_code&) {});
    door.settle();
    CHECK(door.accepted.size() == 1);
}

TEST_CASE("without descriptors the newest is turned away, and said so, instead of waiting") {
    Door door;
    const Descriptor client = connect_to(door.address);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const Descriptor highest(::dup(client.fd));  // every lower number is taken
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(highest.fd);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    door.acceptor->drain();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(door.troubles.size() == 1);
    CHECK(door.troubles[0] == EMFILE);
    CHECK(door.accepted.empty());
    char byte = 0;
    CHECK(::recv(client.fd, &byte, 1, MSG_DONTWAIT) == 0);  // closed, not left in the queue
}
