// The ends of a TlsStream: each is told apart, and what is pending completes exactly once.
#include "core/net/tls_stream.hpp"
#include "tests/unit/core/net/tls_line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

namespace error = boost::asio::error;

}  // namespace

TEST_CASE("close_notify is the end, and what came before it is read first") {
    TlsLine line;
    line.established();
    line.peer->write("last words");
    SSL_shutdown(line.peer->ssl.get());
    line.peer->send(line.peer->output());
    SUBCASE("alone") {}
    SUBCASE("with a FIN") {
        ::shutdown(line.peer->socket.fd, SHUT_WR);
    }
    CHECK(line.read() == "last words");
    CHECK(line.read() == "(end)");
    CHECK(line.read() == "(end)");
    CHECK(line.write("an answer").bytes == 9);  // our direction is open
    line.peer->take();
    CHECK_FALSE(line.stream->quiet());
}

TEST_CASE("a FIN without close_notify is no end") {
    TlsLine line;
    line.established();
    SUBCASE("between records") {
        line.peer->send(sealed(*line.peer, "last words"));
    }
    SUBCASE("within a record") {
        const std::string both = sealed(*line.peer, "last words", "and more");
        line.peer->send(both.substr(0, both.size() - 1));
    }
    SUBCASE("later") {
        line.peer->send(sealed(*line.peer, "last words"));
        line.settle();
    }
    ::shutdown(line.peer->socket.fd, SHUT_WR);
    CHECK(line.read() == "last words");
    std::string into(8, '\0');
    Completion completion;
    line.stream->start_read(into, completion);
    line.settle();
    CHECK(completion.result.error == TlsError::truncated);
    CHECK(completion.message() == "the connection ended without the close that TLS demands");
    CHECK(line.write("an answer").bytes == 9);  // our direction is open
    line.drive([&] { return line.peer->received == "an answer"; });
}

TEST_CASE("a reset is an error of the pending read and of the next write") {
    TlsLine line;
    line.established();
    CHECK(line.read() == "(nothing)");
    std::string into(8, '\0');
    Completion completion;
    line.stream->start_read(into, completion);
    const linger at_once{1, 0};
    ::setsockopt(line.peer->socket.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    line.peer.reset();
    line.settle();
    REQUIRE(completion.count == 1);
    CHECK(completion.result.error == error::connection_reset);
    CHECK(line.write("x").error == error::broken_pipe);  // and no SIGPIPE
    CHECK(line.write("x").error == error::broken_pipe);
}

TEST_CASE("bytes that are not what the peer sealed") {
    TlsLine line;
    line.established();
    CHECK(line.read() == "(nothing)");
    std::string record = sealed(*line.peer, "pay 1 to Alice");
    record[record.size() - 1] ^= 1;
    line.peer->send(record);
    CHECK(line.read() == "(TLS: decryption failed or bad record mac)");
    CHECK(line.read() == "(TLS: decryption failed or bad record mac)");
    CHECK(line.write("x").error.message() == "TLS: decryption failed or bad record mac");
    line.stream->shutdown_write();
}

TEST_CASE("an alert after the handshake") {
    ServerContext strict = server_context(site());
    SSL_CTX_set_verify(strict.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    TlsLine line(trusting(), std::move(strict));
    CHECK(line.connect() == "ok");  // TLS 1.3: the client is through before the server has judged
    line.peer->pump();
    CHECK(line.read() == "(the peer sent the TLS alert 'certificate required')");
}

TEST_CASE("shutdown_write ends our direction, and the peer's goes on") {
    TlsLine line;
    line.established();
    CHECK(line.write("question").bytes == 8);
    line.stream->shutdown_write();
    line.stream->shutdown_write();
    CHECK(line.write("x").error == error::broken_pipe);
    line.drive([&] { return line.peer->ended && line.peer->fin; });
    CHECK(line.peer->received == "question");
    const std::string answer = pattern(MiB);
    TlsReader reader(line.stream, 10'000);
    line.peer->write(answer);
    SSL_shutdown(line.peer->ssl.get());
    line.drive([&] { return !reader.pending; });
    CHECK(reader.received == answer);
    CHECK(reader.error == error::eof);
}

TEST_CASE("shutdown_write into a full way follows when there is room") {
    const std::string record(16 * KiB, 'x');
    const auto write = [&](TlsLine& line, std::size_t size, std::size_t most) {
        std::size_t count = 0;
        while (count < most && line.write(std::string_view(record).substr(0, size)).bytes == size)
            ++count;
        return count;
    };
    // How much goes is found out on other connections: a write in vain leaves half of a record.
    TlsLine one, two, line;
    one.established();
    const std::size_t whole = write(one, record.size(), SIZE_MAX);
    two.established();
    CHECK(write(two, record.size(), whole) == whole);
    const std::size_t tiny = write(two, 1, SIZE_MAX);
    line.established();
    REQUIRE(write(line, record.size(), whole) == whole);
    REQUIRE(write(line, 1, tiny) == tiny);
    line.stream->shutdown_write();
    CHECK(line.write("x").error == error::broken_pipe);
    line.drive([&] { return line.peer->ended && line.peer->fin; });
    CHECK(line.peer->received.size() == whole * record.size() + tiny);
}

TEST_CASE("a message that is given up within a record has no end, and reading goes on") {
    TlsLine line;
    line.established();
    const std::string all = pattern(16 * MiB);
    fill(*line.stream, all);
    SUBCASE("shutdown_write") {
        line.stream->shutdown_write();
        line.drive([&] { return line.peer->fin; });
        line.peer->send(sealed(*line.peer, "an answer"));
        CHECK(line.read() == "an answer");
    }
    SUBCASE("close") {
        line.stream->close();
    }
    line.drive([&] { return line.peer->fin; });
    CHECK_FALSE(line.peer->ended);
}

TEST_CASE("close says goodbye, reset does not") {
    TlsLine line;
    line.established();
    CHECK(line.read() == "(nothing)");
    CHECK(line.write("bye").bytes == 3);
    SUBCASE("close") {
        line.stream->close();
        line.drive([&] { return line.peer->fin; });
        CHECK(line.peer->received == "bye");
        CHECK(line.peer->ended);
    }
    SUBCASE("destruction") {
        line.stream.reset();
        line.drive([&] { return line.peer->fin; });
        CHECK(line.peer->ended);
    }
    SUBCASE("reset") {
        line.stream->close(true);
        CHECK(was_reset(line.peer->socket.fd));
    }
}

TEST_CASE("a closed stream refuses everything") {
    TlsLine line;
    line.established();
    line.stream->close();
    CHECK_FALSE(line.stream->is_open());
    CHECK(line.read() == "(Bad file descriptor)");
    CHECK(line.write("x").error == error::bad_descriptor);
    Completion reading, writing;
    line.stream->start_wait_readable(reading);
    line.stream->start_wait_writable(writing);
    line.stream->shutdown_write();
    line.stream->close();
    line.settle();
    CHECK(reading.result.error == error::bad_descriptor);
    CHECK(writing.result.error == error::bad_descriptor);
    CHECK(line.stream->alpn() == "h2");
}

TEST_CASE("closing completes what is pending, later and once, even if the stream is gone by then") {
    TlsLine line;
    line.established();
    const std::string all = pattern(16 * MiB);
    fill(*line.stream, all);
    std::string into(8, '\0');
    Completion reading, writing;
    line.stream->start_read(into, reading);
    line.stream->start_wait_writable(writing);
    line.peer->send(sealed(*line.peer, "these bytes come too late"));
    line.stream->close();
    CHECK(reading.count + writing.count == 0);
    line.stream.reset();
    line.settle();
    CHECK(reading.count == 1);
    CHECK(writing.count == 1);
    CHECK(reading.result.error == error::operation_aborted);
    CHECK(writing.result.error == error::operation_aborted);
}

TEST_CASE("a handler that destroys the stream in an event with two completions") {
    TlsLine line;
    line.established();
    const std::string all = pattern(16 * MiB);
    fill(*line.stream, all);
    struct Kills final : IoHandler {
        explicit Kills(std::unique_ptr<TlsStream>& of) : victim(of) {}
        void done(IoResult) noexcept override {
            ++count;
            victim.reset();
        }
        std::unique_ptr<TlsStream>& victim;
        int count = 0;
    } reading(line.stream), writing(line.stream);
    std::string into(8, '\0');
    line.stream->start_read(into, reading);
    line.stream->start_wait_writable(writing);
    line.peer->send(sealed(*line.peer, "x"));
    for (int i = 0; i < 100; ++i)
        line.peer->take();
    line.settle();
    CHECK(reading.count == 1);
    CHECK(writing.count == 1);
}

namespace {

/// Traffic both ways for so many turns, then the end by `way`.
void end_after(int turns, int way) {
    static const std::string up = pattern(8 * MiB), down = pattern(MiB);
    TlsLine line;
    line.stream->start_connect(address_of(line.listener.fd), line.connected);
    std::optional<TlsWriter> writer;
    std::optional<TlsReader> reader;
    for (int turn = 0; turn < turns; ++turn) {
        if (!line.peer) {
            const int fd = ::accept4(line.listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd >= 0) line.peer.emplace(line.server.get(), fd);
        } else {
            line.peer->pump(30'000);
        }
        line.loop.poll();
        if (line.connected.count == 0 || writer) continue;
        REQUIRE(line.connected.message() == "ok");
        writer.emplace(line.stream, up, MiB);
        reader.emplace(line.stream, 5'000);
        line.peer->pump(30'000);  // the client's last word of the handshake
        line.peer->write(down);
    }
    if (way == 0) line.stream->close();
    if (way == 1) line.stream->close(true);
    if (way == 2) line.stream.reset();
    if (way == 3) line.peer.reset();
    if (way == 4 && line.peer) ::shutdown(line.peer->socket.fd, SHUT_RDWR);
    line.settle();
    line.stream.reset();
    line.settle();
    CHECK(line.connected.count == 1);
    CHECK((!writer || writer->pending == 0));
    CHECK((!reader || !reader->pending));
}

}  // namespace

TEST_CASE("whatever ends it after any number of turns, each operation completes exactly once") {
    for (int way = 0; way < 5; ++way) {
        for (int turns = 0; turns < 40; ++turns) {
            CAPTURE(way);
            CAPTURE(turns);
            end_after(turns, way);
        }
    }
}
