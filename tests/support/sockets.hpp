// Plain loopback sockets for tests of listening and accepting.
#pragma once

#include <cerrno>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/net/address.hpp"

namespace scrollgate::test {

/// A descriptor that is closed at its end.
struct Descriptor {
    explicit Descriptor(int of) noexcept : fd(of) {}
    Descriptor(Descriptor&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd, other.fd);
        return *this;
    }
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    int fd;
};

inline SocketAddress address_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0);
    return {reinterpret_cast<const sockaddr*>(&storage), size};
}
inline std::uint16_t port_of(int fd) {
    return address_of(fd).port();
}

/// Listens on a port that the kernel chose.
inline Descriptor listening(bool shares_port) {
    Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (shares_port) ::setsockopt(made.fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    const SocketAddress any_port = *SocketAddress::from_ip("127.0.0.1", 0);
    REQUIRE(::bind(made.fd, any_port.data(), any_port.size()) == 0);
    REQUIRE(::listen(made.fd, 128) == 0);
    return made;
}

/// An address that nobody listens on.
inline SocketAddress free_address() {
    return address_of(listening(false).fd);
}

/// Connected (loopback is at once), or fd -1.
inline Descriptor connect_to(const SocketAddress& address) {
    Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(made.fd, address.data(), address.size()) != 0) return Descriptor(-1);
    return made;
}

/// Connecting; nobody waits for it.
inline Descriptor start_connect(const SocketAddress& address) {
    Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)::connect(made.fd, address.data(), address.size());
    return made;
}

inline short events_of(int fd) {
    pollfd entry{fd, POLLIN | POLLOUT, 0};
    ::poll(&entry, 1, 0);
    return entry.revents;
}
inline bool connected(int fd) {
    return (events_of(fd) & (POLLOUT | POLLERR)) == POLLOUT;
}
inline bool was_reset(int fd) {
    return (events_of(fd) & POLLERR) != 0;
}

/// Accepts all that is queued on any of the sockets; how many.
inline int accept_any(const std::vector<int>& sockets) {
    int count = 0;
    for (const int fd : sockets) {
        while (true) {
            const Descriptor accepted(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
            if (accepted.fd < 0) break;
            ++count;
        }
    }
    return count;
}

}  // namespace scrollgate::test
