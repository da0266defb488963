// A Connection over a real socket and the plain socket at its far end, for what a scripted stream
// has not: splice(2).
#pragma once

#include <csignal>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "core/net/connection.hpp"
#include "core/net/tcp_stream.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/sockets.hpp"
#include "tests/support/turns.hpp"

namespace scrollgate::test {

/// As the server does it: without it there are no pipes.
struct SigpipeIgnored {
    SigpipeIgnored() : before(std::signal(SIGPIPE, SIG_IGN)) {}
    ~SigpipeIgnored() { std::signal(SIGPIPE, before); }
    void (*before)(int);
};

/// Left alone, the kernel lets them grow to tens of MiB, and what should fill them does not.
inline void bound_buffers(int socket) {
    constexpr int bytes = 256 * 1024;
    REQUIRE(::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    REQUIRE(::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
}

/// A stream that was accepted on `loop`, and its far end in `far`.
inline std::unique_ptr<Stream> accepted_stream(EventLoop& loop, Descriptor& far) {
    const Descriptor listener = listening(false);
    bound_buffers(listener.fd);  // what it accepts has the same
    far = connect_to(address_of(listener.fd));
    bound_buffers(far.fd);
    const int near = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    REQUIRE(near >= 0);
    ::fcntl(far.fd, F_SETFL, O_NONBLOCK);
    std::unique_ptr<Stream> stream = adopt_tcp_stream(loop, near);
    REQUIRE(stream);
    return stream;
}

struct SocketLine {
    explicit SocketLine(EventLoop& loop) : connection(loop, accepted_stream(loop, far)) {}

    struct Quiet final : Connection {
        using Connection::Connection;
        void input_seen() noexcept override {}
    };

    /// Sends what fits into the way; how much.
    std::size_t send(std::string_view bytes) const {
        const ssize_t sent = ::send(far.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    /// Adds what has come to `into`.
    void receive(std::string& into) const {
        std::string piece(1 << 16, '\0');
        for (;;) {
            const ssize_t got = ::recv(far.fd, piece.data(), piece.size(), 0);
            if (got <= 0) return;
            into.append(piece, 0, static_cast<std::size_t>(got));
        }
    }
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(far.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(std::exchange(far.fd, -1));
    }
    void leave() { ::close(std::exchange(far.fd, -1)); }

    Descriptor far{-1};
    Quiet connection;
};

/// A loop with a clock of its own that real sockets live on.
struct SocketWorld {
    ~SocketWorld() { settle(); }
    void settle() { test::settle(loop); }
    void pass(Duration by) { test::pass(loop, clock.clock, by); }
    SigpipeIgnored ignored;
    FarClock clock;
    EventLoop loop{clock.clock, 1, 1'000};
};

/// Bytes that tell where they stand.
inline std::string numbered(std::size_t size) {
    std::string made;
    made.reserve(size + 8);
    for (std::size_t i = 0; made.size() < size; ++i)
        made += std::to_string(i) + ' ';
    made.resize(size);
    return made;
}

}  // namespace scrollgate::test
