// A TlsStream and a TlsPeer at its other end, turned by hand, for tests that look at both.
#pragma once

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "core/net/tls_error.hpp"
#include "core/net/tls_stream.hpp"
#include "tests/support/turns.hpp"
#include "tests/unit/core/net/completion.hpp"
#include "tests/unit/core/net/tls_peer.hpp"

namespace scrollgate::test {

inline const Identity& authority() {
    static const Identity made("the tests' authority");
    return made;
}
inline const Identity& site() {
    static const Identity made("gate.example", "DNS:gate.example,IP:127.0.0.1", &authority());
    return made;
}
inline const CertificateFile& authority_file() {
    static const CertificateFile made(authority());
    return made;
}
/// Trusts the tests' authority and offers both versions of HTTP.
inline TlsClientOptions trusting() {
    return {.verify = true, .ca_file = authority_file().path, .alpn = {"h2", "http/1.1"}};
}

using TlsStreamPointer = std::unique_ptr<TlsStream>;

struct TlsLine {
    explicit TlsLine(const TlsClientOptions& options = trusting(),
                     ServerContext of_server = server_context(site(), "h2"),
                     std::string_view name = "gate.example")
        : server(std::move(of_server)), context(options) {
        stream = make_tls_stream(loop, context, name);
    }
    ~TlsLine() {
        stream.reset();
        settle();
    }

    void settle() { test::settle(loop); }
    /// Connects by TCP and accepts; the handshake is still to come.
    void start() {
        stream->start_connect(address_of(listener.fd), connected);
        CHECK(connected.count == 0);
        drive([&] {
            const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd >= 0) peer.emplace(server.get(), fd);
            return peer.has_value();
        });
    }
    /// Both ends in turn until `reached`, which must come.
    template <class Reached>
    void drive(Reached reached, std::size_t most = SIZE_MAX) {
        for (int turn = 0; turn < 1'000'000; ++turn) {
            if (reached()) return;
            if (peer) peer->pump(most);
            loop.poll();
        }
        FAIL("what was waited for has not come");
    }
    /// How connecting went: "ok" or the error's text.
    std::string connect() {
        start();
        drive([&] { return connected.count != 0; });
        return connected.message();
    }
    /// Also what the server does after the handshake.
    void established() {
        REQUIRE(connect() == "ok");
        drive([&] { return SSL_is_init_finished(peer->ssl.get()) == 1; });
    }
    std::string read(std::size_t room = 64) {
        return read_text(*stream, room, [this] { settle(); });
    }
    IoResult write(std::string_view a, std::string_view b = {}) {
        const iovec parts[] = {{const_cast<char*>(a.data()), a.size()},
                               {const_cast<char*>(b.data()), b.size()}};
        return stream->try_write({parts, b.empty() ? 1U : 2U});
    }

    EventLoop loop{system_clock(), 1, 1'000};
    ServerContext server;
    TlsClientContext context;
    Descriptor listener = listening(false);
    std::optional<TlsPeer> peer;
    Completion connected;
    TlsStreamPointer stream;
};

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

inline ServerContext tls12() {
    ServerContext made = server_context(site());
    SSL_CTX_set_max_proto_version(made.get(), TLS1_2_VERSION);
    return made;
}

/// The peer's ciphertext for `first` and `second`, a record each, not sent.
inline std::string sealed(TlsPeer& peer, std::string_view first, std::string_view second = {}) {
    peer.write(first);
    if (!second.empty()) peer.write(second);
    return peer.output();
}

/// Fills the way to a peer that does not read; the bytes that went.
inline std::size_t fill(Stream& stream, std::string_view from) {
    std::size_t sum = 0;
    while (true) {
        const iovec part{const_cast<char*>(from.data()) + sum, from.size() - sum};
        const IoResult sent = stream.try_write({&part, 1});
        REQUIRE_FALSE(sent.error);
        if (sent.bytes == 0) return sum;
        sum += sent.bytes;
        REQUIRE(sum < from.size());
    }
}

/// Text that tells if a piece of it is missing, doubled or out of place.
inline std::string pattern(std::size_t size) {
    std::string made(size, '\0');
    std::uint32_t state = 1;
    for (char& c : made) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    return made;
}

/// Writes all of `bytes`, in pieces of `piece`, waiting where the way is full, as long as there is
/// a stream.
struct TlsWriter final : IoHandler {
    TlsWriter(const TlsStreamPointer& to, std::string_view all, std::size_t most)
        : stream(to), bytes(all), piece(most) {
        go_on();
    }
    void done(IoResult result) noexcept override {
        --pending;
        error = result.error;
        if (!error && stream) go_on();
    }
    void go_on() {
        while (!bytes.empty()) {
            const iovec part{const_cast<char*>(bytes.data()), std::min(bytes.size(), piece)};
            const IoResult sent = stream->try_write({&part, 1});
            error = sent.error;
            if (error) return;
            bytes.remove_prefix(sent.bytes);
            if (sent.bytes != 0) continue;
            ++waits;
            ++pending;
            return stream->start_wait_writable(*this);
        }
    }
    const TlsStreamPointer& stream;
    std::string_view bytes;
    std::size_t piece;
    boost::system::error_code error;
    int waits = 0, pending = 0;
};

/// Reads until the end or an error, as long as there is a stream.
struct TlsReader final : IoHandler {
    TlsReader(const TlsStreamPointer& from, std::size_t room) : stream(from), into(room, '\0') {
        next();
    }
    void next() {
        pending = true;
        stream->start_read(into, *this);
    }
    void done(IoResult result) noexcept override {
        pending = false;
        received.append(into, 0, result.bytes);
        error = result.error;
        if (!error && stream) next();
    }
    const TlsStreamPointer& stream;
    std::string into, received;
    boost::system::error_code error;
    bool pending = false;
};

}  // namespace scrollgate::test
