// TcpStream against plain sockets: what the kernel tells once is not missed, and what is pending
// completes exactly once.
#include "core/net/tcp_stream.hpp"

#include <optional>
#include <string>

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>
#include <fcntl.h>

#include "tests/support/sockets.hpp"
#include "tests/support/turns.hpp"
#include "tests/unit/core/net/completion.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

namespace error = boost::asio::error;

/// A stream and the plain socket at its other end.
struct Pair {
    Pair() {
        const Descriptor listener = listening(false);
        far.emplace(connect_to(address_of(listener.fd)));
        const int near = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        REQUIRE(near >= 0);
        stream = adopt_tcp_stream(loop, near);
        REQUIRE(stream);
        settle();
    }
    ~Pair() {
        stream.reset();
        settle();
    }
    void settle() { test::settle(loop); }
    void send(std::string_view bytes) const {
        REQUIRE(::send(far->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
    }
    std::string read(std::size_t room = 64) {
        return read_text(*stream, room, [this] { settle(); });
    }

    EventLoop loop{system_clock(), 1, 1'000};
    std::optional<Descriptor> far;
    std::unique_ptr<Stream> stream;
};

/// Fills the way to a peer that does not read.
void fill(Stream& stream) {
    const std::string chunk(1 << 16, 'x');
    const iovec data{const_cast<char*>(chunk.data()), chunk.size()};
    while (true) {
        const IoResult sent = stream.try_write({&data, 1});
        REQUIRE_FALSE(sent.error);
        if (sent.bytes == 0) return;
    }
}

}  // namespace

TEST_CASE("reads take what is there: less than the room, exactly the room, more than the room") {
    Pair pair;
    CHECK(pair.read() == "(nothing)");
    pair.send("abc");
    CHECK(pair.read() == "abc");
    CHECK(pair.read() == "(nothing)");
    pair.send("abcd");
    CHECK(pair.read(4) == "abcd");
    CHECK(pair.read(4) == "(nothing)");
    pair.send("abcdefghij");
    CHECK(pair.read(4) == "abcd");
    CHECK(pair.read(4) == "efgh");
    CHECK(pair.read(4) == "ij");
    CHECK(pair.read(4) == "(nothing)");
}

TEST_CASE("bytes that come between a short read and the next turn are not missed") {
    Pair pair;
    pair.send("one");
    CHECK(pair.read() == "one");
    pair.send("two");  // no turn of the loop between
    CHECK(pair.read() == "two");
}

TEST_CASE("an end that came together with the last bytes is seen after a short read") {
    Pair pair;
    pair.send("last words");
    ::shutdown(pair.far->fd, SHUT_WR);
    pair.settle();
    CHECK(pair.read() == "last words");
    CHECK(pair.read() == "(end)");
}

TEST_CASE("an end that comes after a short read is seen") {
    Pair pair;
    pair.send("words");
    CHECK(pair.read() == "words");
    pair.far.reset();
    CHECK(pair.read() == "(end)");
}

TEST_CASE("a reset is an error of the pending read and of the next write") {
    Pair pair;
    std::string into(8, '\0');
    Completion completion;
    pair.stream->start_read(into, completion);
    const linger at_once{1, 0};
    ::setsockopt(pair.far->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    pair.far.reset();
    pair.settle();
    REQUIRE(completion.count == 1);
    CHECK(completion.result.error == error::connection_reset);
    const iovec data{into.data(), into.size()};
    CHECK(pair.stream->try_write({&data, 1}).error);
}

TEST_CASE("quiet: nothing has come, not even an end") {
    Pair pair;
    CHECK(pair.stream->quiet());
    SUBCASE("bytes") {
        pair.send("x");
    }
    SUBCASE("an end") {
        pair.far.reset();
    }
    CHECK_FALSE(pair.stream->quiet());
}

TEST_CASE("waiting for readability reads nothing") {
    Pair pair;
    Completion completion;
    pair.stream->start_wait_readable(completion);
    pair.settle();
    CHECK(completion.count == 0);
    pair.send("abc");
    pair.settle();
    REQUIRE(completion.count == 1);
    CHECK_FALSE(completion.result.error);
    CHECK(completion.result.bytes == 0);
    CHECK(pair.read() == "abc");
}

TEST_CASE("what came before the wait for readability ends it, too") {
    Pair pair;
    pair.send("abc");
    pair.settle();
    Completion completion;
    pair.stream->start_wait_readable(completion);
    CHECK(completion.count == 0);
    pair.settle();
    CHECK(completion.count == 1);
}

TEST_CASE("a full way is waited for until the peer reads") {
    Pair pair;
    fill(*pair.stream);
    Completion completion;
    pair.stream->start_wait_writable(completion);
    pair.settle();
    CHECK(completion.count == 0);
    ::fcntl(pair.far->fd, F_SETFL, O_NONBLOCK);
    std::string sink(1 << 20, '\0');
    while (completion.count == 0) {
        (void)!::read(pair.far->fd, sink.data(), sink.size());
        pair.loop.poll();
    }
    CHECK_FALSE(completion.result.error);
    const iovec data{sink.data(), 1};
    CHECK(pair.stream->try_write({&data, 1}).bytes == 1);
}

TEST_CASE("closing completes what is pending, later and once, even if the stream is gone by then") {
    Pair pair;
    fill(*pair.stream);
    std::string into(8, '\0');
    Completion reading, writing;
    pair.stream->start_read(into, reading);
    pair.stream->start_wait_writable(writing);
    pair.send("these bytes come too late");
    pair.stream->close();
    CHECK_FALSE(pair.stream->is_open());
    CHECK(reading.count + writing.count == 0);
    pair.stream.reset();
    pair.settle();
    CHECK(reading.count == 1);
    CHECK(writing.count == 1);
    CHECK(reading.result.error == error::operation_aborted);
    CHECK(writing.result.error == error::operation_aborted);
}

TEST_CASE("a stream that dies in a completion is not told of its event in the same turn") {
    Pair pair;
    const Descriptor listener = listening(false);
    const Descriptor far(connect_to(address_of(listener.fd)));
    auto victim = adopt_tcp_stream(
        pair.loop, ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    struct Kills final : IoHandler {
        explicit Kills(std::unique_ptr<Stream>& of) : victim(of) {}
        void done(IoResult) noexcept override { victim.reset(); }
        std::unique_ptr<Stream>& victim;
    } kills(victim);
    std::string into(8, '\0');
    pair.settle();
    pair.stream->start_read(into, kills);
    pair.send("x");  // its event comes first
    REQUIRE(::send(far.fd, "y", 1, 0) == 1);
    pair.settle();
    CHECK_FALSE(victim);
}

TEST_CASE("connecting: to a listener, to nobody, and called off") {
    EventLoop loop(system_clock(), 1, 1'000);
    const Descriptor listener = listening(false);
    Completion completion;
    auto stream = make_tcp_stream(loop);
    SUBCASE("to a listener") {
        stream->start_connect(address_of(listener.fd), completion);
        CHECK(stream->is_open());
        settle(loop);
        REQUIRE(completion.count == 1);
        CHECK_FALSE(completion.result.error);
        const iovec data{const_cast<char*>("x"), 1};
        CHECK(stream->try_write({&data, 1}).bytes == 1);
    }
    SUBCASE("to nobody") {
        stream->start_connect(free_address(), completion);
        settle(loop);
        REQUIRE(completion.count == 1);
        CHECK(completion.result.error == error::connection_refused);
    }
    SUBCASE("called off") {
        stream->start_connect(address_of(listener.fd), completion);
        stream->close();
        CHECK(completion.count == 0);
        settle(loop);
        REQUIRE(completion.count == 1);
        CHECK(completion.result.error == error::operation_aborted);
    }
    SUBCASE("by a protocol that there is not") {
        sockaddr_storage nowhere{};
        nowhere.ss_family = AF_APPLETALK;
        stream->start_connect(
            SocketAddress(reinterpret_cast<const sockaddr*>(&nowhere), sizeof(sockaddr_in)),
            completion);
        settle(loop);
        REQUIRE(completion.count == 1);
        CHECK(completion.result.error);
    }
}
