// TlsStream until the handshake is over: what is agreed on, what is refused, and in which words.
#include <csignal>
#include <stdexcept>

#include "tests/unit/core/net/tls_line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

namespace error = boost::asio::error;

TlsClientOptions careless() {
    return {.verify = false};
}

std::string refusal(const TlsClientOptions& options) {
    try {
        const TlsClientContext context(options);
    } catch (const std::runtime_error& failure) {
        return failure.what();
    }
    return "accepted";
}

/// A connected line whose far end is a plain socket.
struct Raw {
    explicit Raw(TlsLine& of) : line(of) {
        of.stream->start_connect(address_of(of.listener.fd), of.connected);
        of.drive([&] { return (fd = ::accept(of.listener.fd, nullptr, nullptr)) >= 0; });
    }
    ~Raw() { finish(); }
    void finish() {
        if (fd >= 0) ::close(std::exchange(fd, -1));
    }
    /// Takes the ClientHello, so that a close is a FIN.
    void take_hello() {
        char buffer[4096];
        line.drive([&] { return ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0; });
    }
    std::string outcome() {
        line.drive([&] { return line.connected.count != 0; });
        return line.connected.message();
    }
    TlsLine& line;
    int fd = -1;
};

}  // namespace

TEST_CASE("a handshake: name, certificate and protocol are agreed on") {
    TlsLine line;
    CHECK(line.stream->alpn() == "");
    line.established();
    CHECK(line.stream->is_open());
    CHECK(line.stream->alpn() == "h2");
    CHECK(SSL_version(line.peer->ssl.get()) == TLS1_3_VERSION);
    CHECK(std::string(SSL_get_servername(line.peer->ssl.get(), TLSEXT_NAMETYPE_host_name)) ==
          "gate.example");
    CHECK(SSL_session_reused(line.peer->ssl.get()) == 0);
}

TEST_CASE("a name's last dot is for the resolver alone") {
    TlsLine line(trusting(), server_context(site()), "gate.example.");
    line.established();
    CHECK(std::string(SSL_get_servername(line.peer->ssl.get(), TLSEXT_NAMETYPE_host_name)) ==
          "gate.example");
    CHECK(line.stream->alpn() == "");  // the server knows no ALPN
}

TEST_CASE("an IP literal is verified and not sent") {
    TlsLine line(trusting(), server_context(site()), "127.0.0.1");
    line.established();
    CHECK(SSL_get_servername(line.peer->ssl.get(), TLSEXT_NAMETYPE_host_name) == nullptr);
}

TEST_CASE("a handshake whose bytes come one at a time, and one whose first flight is cut") {
    TlsLine line;
    line.start();
    std::string flight;
    while (line.connected.count == 0) {
        line.peer->take(7);
        line.peer->handle();
        flight += line.peer->output();
        if (!flight.empty()) line.peer->send(flight.substr(0, 1));
        flight.erase(0, 1);
        line.settle();
    }
    CHECK(line.connected.message() == "ok");
}

TEST_CASE("certificates that are refused, and why") {
    const std::string failed = "certificate verify failed: ";
    SUBCASE("for another name") {
        TlsLine line(trusting(), server_context(site()), "other.example");
        CHECK(line.connect() == failed + "hostname mismatch");
        CHECK(is_certificate_error(line.connected.result.error));
        CHECK(line.stream->is_open());
        CHECK(line.read() == "(" + line.connected.message() + ")");
        CHECK(line.write("x").error == line.connected.result.error);
        CHECK_FALSE(line.stream->quiet());
    }
    SUBCASE("for another address") {
        TlsLine line(trusting(), server_context(site()), "::1");
        CHECK(line.connect() == failed + "IP address mismatch");
    }
    SUBCASE("by an unknown authority") {
        TlsLine line({.verify = true}, server_context(site()));
        CHECK(line.connect() == failed + "unable to get local issuer certificate");
    }
    SUBCASE("by itself") {
        const Identity own("gate.example", "DNS:gate.example");
        TlsLine line(trusting(), server_context(own));
        CHECK(line.connect() == failed + "self-signed certificate");
    }
    SUBCASE("expired") {
        const Identity old("gate.example", "DNS:gate.example", &authority(), -60);
        TlsLine line(trusting(), server_context(old));
        CHECK(line.connect() == failed + "certificate has expired");
    }
}

TEST_CASE("the server is told of a refused certificate") {
    TlsLine line(trusting(), server_context(site()), "other.example");
    line.connect();
    ERR_clear_error();
    line.peer->take();
    CHECK(SSL_do_handshake(line.peer->ssl.get()) != 1);
    CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE);
    ERR_clear_error();
}

TEST_CASE("without verification any certificate does, and no name is needed") {
    const Identity own("whoever", nullptr, nullptr, -60);
    SUBCASE("another name") {
        TlsLine line(careless(), server_context(own));
        CHECK(line.connect() == "ok");
    }
    SUBCASE("another address") {
        TlsLine line(careless(), server_context(own), "::1");
        CHECK(line.connect() == "ok");
    }
    SUBCASE("no name") {
        TlsLine line(careless(), server_context(own), "");
        CHECK(line.connect() == "ok");
    }
}

TEST_CASE("names that cannot be verified are refused before a byte is sent") {
    for (const std::string& name :
         {std::string(), std::string("."), std::string("gate.example\0.evil.example", 26),
          std::string(256, 'a')}) {
        TlsLine line(trusting(), server_context(site()), name);
        line.stream->start_connect(address_of(line.listener.fd), line.connected);
        CHECK(line.connected.count == 0);
        line.settle();
        CHECK(line.connected.result.error == TlsError::bad_name);
        CHECK_FALSE(line.stream->is_open());
    }
}

TEST_CASE("a server that agrees to none of the protocols, or to no version") {
    SUBCASE("protocol") {
        TlsLine line(trusting(), server_context(site(), "spdy/1"));
        CHECK(line.connect() == "the peer agrees to none of the protocols offered");
        CHECK(line.connected.result.error == TlsError::no_protocol);
        CHECK_FALSE(is_certificate_error(line.connected.result.error));
    }
    SUBCASE("version") {
        ServerContext old = server_context(site());
        SSL_CTX_set_security_level(old.get(), 0);
        SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
        TlsLine line(trusting(), std::move(old));
        CHECK(line.connect() == "the peer sent the TLS alert 'protocol version'");
    }
}

TEST_CASE("TLS 1.2 is enough") {
    ServerContext older = server_context(site(), "http/1.1");
    SSL_CTX_set_max_proto_version(older.get(), TLS1_2_VERSION);
    TlsLine line(trusting(), std::move(older));
    line.established();
    CHECK(line.stream->alpn() == "http/1.1");
    CHECK(line.write("ping").bytes == 4);
    line.drive([&] { return line.peer->received == "ping"; });
}

TEST_CASE("a peer that speaks plain HTTP") {
    TlsLine line;
    Raw raw(line);
    const std::string_view answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    REQUIRE(::send(raw.fd, answer.data(), answer.size(), 0) > 0);
    CHECK(raw.outcome() == "the peer speaks no TLS");
    CHECK(line.connected.result.error == TlsError::not_tls);
}

TEST_CASE("a peer that goes away during the handshake") {
    TlsLine line;
    Raw raw(line);
    SUBCASE("with a FIN") {
        raw.take_hello();
        raw.finish();
        CHECK(raw.outcome() == "the peer closed the connection during the TLS handshake");
        CHECK(line.connected.result.error == TlsError::closed_in_handshake);
    }
    SUBCASE("with a FIN behind half of an answer") {
        raw.take_hello();
        REQUIRE(::send(raw.fd, "\x16\x03\x03\x01", 4, 0) == 4);
        raw.finish();
        CHECK(raw.outcome() == "the peer closed the connection during the TLS handshake");
    }
    SUBCASE("with a reset") {
        raw.take_hello();
        const linger at_once{1, 0};
        ::setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        raw.finish();
        raw.outcome();
        CHECK(line.connected.result.error == error::connection_reset);
    }
}

TEST_CASE("nobody listens") {
    TlsLine line;
    line.stream->start_connect(free_address(), line.connected);
    line.drive([&] { return line.connected.count != 0; });
    CHECK(line.connected.result.error == error::connection_refused);
}

TEST_CASE("connecting that is called off") {
    TlsLine line;
    SUBCASE("before TCP is through") {
        line.stream->start_connect(address_of(line.listener.fd), line.connected);
    }
    SUBCASE("during the handshake") {
        Raw raw(line);
        raw.take_hello();
    }
    line.stream->close();
    CHECK(line.connected.count == 0);
    line.stream.reset();
    line.settle();
    REQUIRE(line.connected.count == 1);
    CHECK(line.connected.result.error == error::operation_aborted);
}

TEST_CASE("contexts that cannot be") {
    CHECK(refusal({}) == "accepted");
    CHECK(refusal({.ca_file = "/nowhere/ca.pem"}) ==
          "CA file '/nowhere/ca.pem': No such file or directory");
    CHECK(refusal({.ca_file = "/dev/null"}) ==
          "CA file '/dev/null': TLS: no certificate or crl found");
    CHECK(refusal({.alpn = {"h2", ""}}) == "ALPN protocol '': 1 to 255 bytes are needed");
    CHECK(refusal({.alpn = {std::string(256, 'a')}}) != "accepted");
}

TEST_CASE("a stream outlives its context") {
    TlsLine line;
    {
        const TlsClientContext gone(trusting());
        line.stream = make_tls_stream(line.loop, gone, "gate.example");
    }
    line.established();
}
