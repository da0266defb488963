// Splicing between real sockets: what the kernel tells once is not missed, ends and errors are
// those of a read or a write, and what was not taken stays where it was.
#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/unit/core/net/completion.hpp"
#include "tests/unit/core/net/line.hpp"
#include "tests/unit/core/net/socket_line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

namespace error = boost::asio::error;
constexpr std::size_t much = 1 << 20;

struct Spliced : SocketWorld {
    Spliced() {
        settle();
        pipe = loop.pipes().lease();
        REQUIRE(pipe);
    }
    /// Bytes moved in, or the error.
    std::string in(std::size_t most = much) {
        const IoResult result = stream->splice_in(*pipe, most);
        return result.error ? result.error.message() : std::to_string(result.bytes);
    }
    std::string out() {
        const IoResult result = stream->splice_out(*pipe);
        return result.error ? result.error.message() : std::to_string(result.bytes);
    }
    void send(std::string_view bytes) {
        REQUIRE(::send(far.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
        settle();
    }

    Descriptor far{-1};
    std::unique_ptr<Stream> stream = accepted_stream(loop, far);
    PipeLease pipe;
};

detail::Detached await_readable(Connection& connection, std::string& log) {
    co_await connection.readable();
    log += 'r';
}

}  // namespace

TEST_CASE("bytes go in and out again, and only those that were asked for") {
    Spliced one;
    CHECK(one.stream->splices());
    CHECK(one.in() == "0");
    one.send("abcdefgh");
    CHECK(one.in(5) == "5");
    CHECK(one.pipe->held() == 5);
    CHECK(one.out() == "5");
    CHECK(one.pipe->held() == 0);
    CHECK(read_text(*one.stream, 64, [&one] { one.settle(); }) == "fgh");
    char echo[16] = {};
    CHECK(::recv(one.far.fd, echo, sizeof echo, 0) == 5);
    CHECK(std::string_view(echo) == "abcde");
}

TEST_CASE("what comes after a splice that found nothing is told") {
    Spliced one;
    one.send("abc");
    CHECK(one.in() == "3");
    CHECK(one.out() == "3");
    CHECK(one.in() == "0");
    Completion told;
    one.stream->start_wait_readable(told);
    one.settle();
    CHECK(told.count == 0);
    one.send("de");
    CHECK(told.count == 1);
    CHECK(one.in() == "2");
}

TEST_CASE("ends and errors are those of a read") {
    Spliced one;
    SUBCASE("an end behind bytes") {
        one.send("abc");
        ::shutdown(one.far.fd, SHUT_WR);
        one.settle();
        CHECK(one.in() == "3");
        CHECK(one.out() == "3");
        CHECK(one.stream->splice_in(*one.pipe, much).error == error::eof);
    }
    SUBCASE("a reset") {
        const linger at_once{1, 0};
        ::setsockopt(one.far.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        one.far = Descriptor(-1);
        one.settle();
        CHECK(one.stream->splice_in(*one.pipe, much).error == error::connection_reset);
    }
    SUBCASE("closed by us") {
        one.stream->close();
        CHECK(one.stream->splice_in(*one.pipe, much).error == error::bad_descriptor);
    }
}

TEST_CASE("a peer that is gone is an error, and no signal") {
    Spliced one;
    one.send("abc");
    CHECK(one.in() == "3");
    one.far = Descriptor(-1);
    one.settle();
    // The first one may still go out, and is answered with a reset.
    IoResult result = one.stream->splice_out(*one.pipe);
    if (!result.error) {
        one.settle();
        REQUIRE(::write(one.pipe->entry(), "x", 1) == 1);
        one.pipe->gained(1);
        result = one.stream->splice_out(*one.pipe);
    }
    CHECK(result.error);
}

TEST_CASE("a full way takes no more, and is waited for as for a write") {
    Spliced one;
    const std::string block(1 << 16, 'x');
    while (one.pipe->held() == 0) {
        one.send(block);
        while (one.in() != "0" && one.out() != "0" && one.pipe->held() == 0) {
        }
    }
    while (one.out() != "0") {
    }
    REQUIRE(one.pipe->held() > 0);
    Completion told;
    one.stream->start_wait_writable(told);
    one.settle();
    CHECK(told.count == 0);
    std::string taken(1 << 20, '\0');
    while (told.count == 0) {
        (void)!::recv(one.far.fd, taken.data(), taken.size(), 0);
        one.loop.poll();
    }
    CHECK_FALSE(told.result.error);
    const std::size_t before = one.pipe->held();
    CHECK(one.out() != "0");
    CHECK(one.pipe->held() < before);
}

TEST_CASE("urgent data does not hide what stands behind it") {
    Spliced one;
    one.send("ab");
    REQUIRE(::send(one.far.fd, "!", 1, MSG_OOB) == 1);
    one.send("cd");
    CHECK(one.in() == "2");
    CHECK(one.out() == "2");
    CHECK(one.in() == "0");
    Completion told;  // though nothing new comes
    one.stream->start_wait_readable(told);
    one.settle();
    CHECK(told.count == 1);
    CHECK(read_text(*one.stream, 64, [&one] { one.settle(); }) == "cd");
}

TEST_CASE("what is no plain socket does not splice") {
    Line line;
    CHECK_FALSE(line->splices());
    CHECK_FALSE(line->can_splice());
}

TEST_CASE("readable: told of bytes and of an end, reads nothing, and holds no buffer") {
    SocketWorld world;
    SocketLine line(world.loop);
    std::string log;
    world.settle();
    CHECK(line.connection.can_splice());
    await_readable(line.connection, log);
    world.settle();
    CHECK(log.empty());
    CHECK(world.loop.small_buffers().leased() == 0);
    CHECK_FALSE(line.connection.can_splice());
    SUBCASE("bytes") {
        line.send("abc");
        world.settle();
        CHECK(log == "r");
        CHECK(line.connection.received().empty());
        CHECK(line.connection.can_splice());
        PipeLease pipe = world.loop.pipes().lease();
        CHECK(line.connection.splice(*pipe, 2) == 2);
        CHECK(line.connection.unread_behind());
        await_more(line.connection, log);
        world.settle();
        CHECK(log == "r+");
        CHECK(line.connection.received() == "c");
        CHECK_FALSE(line.connection.unread_behind());
    }
    SUBCASE("an end") {
        line.leave();
        world.settle();
        CHECK(log == "r");
        PipeLease pipe = world.loop.pipes().lease();
        CHECK(line.connection.splice(*pipe, much) == 0);
        CHECK(line.connection.at_end());
        CHECK_FALSE(line.connection.broken());
        CHECK_FALSE(line.connection.can_splice());
    }
    SUBCASE("our own failure") {
        line.connection.fail(ErrorKind::cancelled);
        world.settle();
        CHECK(log == "r");
        CHECK_FALSE(line.connection.can_splice());
    }
    SUBCASE("an interrupt, after which what comes is read as ever") {
        line.connection.interrupt();
        world.settle();
        CHECK(log == "r");
        await_more(line.connection, log);
        world.settle();
        CHECK(log == "r");
        line.send("abc");
        world.settle();
        CHECK(log == "r+");
        CHECK(line.connection.received() == "abc");
    }
    line.connection.close();
    world.settle();
}

TEST_CASE("a read that is pending ends readable() with its bytes") {
    SocketWorld world;
    SocketLine line(world.loop);
    world.settle();
    line.connection.arm();
    std::string log;
    await_readable(line.connection, log);
    line.send("abc");
    world.settle();
    CHECK(log == "r");
    CHECK(line.connection.received() == "abc");
    line.connection.close();
    world.settle();
}
