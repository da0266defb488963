// Connection over a scripted stream: read-ahead, buffers, pins, parking.
#include "core/net/connection.hpp"

#include <string>
#include <vector>

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/support/all_of.hpp"
#include "tests/unit/core/net/line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("armed, a connection reads ahead and says so") {
    Line line;
    line->arm();
    line->arm();  // one read at most
    CHECK(line->reading());
    line.peer->send("hello");
    line.settle();
    CHECK(line->received() == "hello");
    CHECK(line->seen == 1);
    CHECK_FALSE(line->reading());
    line->consume(3);
    CHECK(line->received() == "lo");
    line->arm();
    line.peer->send("!!");
    line.settle();
    CHECK(line->received() == "lo!!");
    CHECK(line->received_total() == 7);
}

TEST_CASE("bytes that were read ahead wait for nobody, and more() gives what is new") {
    Line line;
    std::string log;
    line->arm();
    line.peer->send("one");
    line.settle();
    await_more(*line, log);
    CHECK(log == "");  // "one" was there before: more means more than now
    line.peer->send("two");
    line.settle();
    CHECK(log == "+");
    CHECK(line->received() == "onetwo");
    CHECK(line->seen == 1);
}

TEST_CASE("the end of the stream is told once and stays") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send("last");
    line.peer->finish();
    line.settle();
    CHECK(log == "+");
    CHECK_FALSE(line->at_end());
    await_more(*line, log);
    line.settle();
    CHECK(log == "+-");
    CHECK(line->at_end());
    CHECK_FALSE(line->broken().failed());
    CHECK(line->received() == "last");
    await_more(*line, log);  // at once
    CHECK(log == "+--");
}

TEST_CASE("a reset is seen while nobody waits, and has an error") {
    Line line;
    line->arm();
    line.peer->reset();
    line.settle();
    CHECK(line->seen == 1);
    CHECK(line->at_end());
    CHECK(line->broken() == boost::asio::error::connection_reset);
    CHECK_FALSE(line->failure().has_value());
}

TEST_CASE("pinned bytes stay in place while the buffer fills and is used again") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send("HEAD" + std::string(limits::buffer_small - 4, 'a'));
    line.settle();
    const std::string_view head = line->received().substr(0, 4);
    line->consume(4);
    line->pin();
    for (char c = 'b'; c < 'f'; ++c) {  // four more bufferfuls, each behind the head
        line->consume(line->received().size());
        await_more(*line, log);
        line.peer->send(std::string(limits::buffer_small - 4, c));
        line.settle();
        CHECK(head == "HEAD");
        CHECK(line->received() == std::string(limits::buffer_small - 4, c));
    }
    line->unpin();
    line->consume(line->received().size());
    await_more(*line, log);
    line.peer->send(std::string(limits::buffer_small, 'z'));
    line.settle();
    CHECK(line->received().size() == limits::buffer_small);
    CHECK(log == "++++++");
}

TEST_CASE("a head that nearly fills its buffer keeps it, and reading goes on in another one") {
    Line line;
    std::string log;
    await_more(*line, log);
    const std::string bytes(limits::buffer_small - 100, 'h');
    line.peer->send(bytes);
    line.settle();
    const std::string_view head = line->received();
    line->consume(head.size());
    line->pin();
    for (char c = 'a'; c < 'd'; ++c) {
        await_more(*line, log);
        line.peer->send(std::string(limits::buffer_small, c));
        line.settle();
        CHECK(line->received() == std::string(limits::buffer_small, c));
        CHECK(head == bytes);
        line->consume(limits::buffer_small);
    }
    CHECK(line.loop->small_buffers().leased() == 2);
    line->unpin();
    CHECK(line.loop->small_buffers().leased() == 1);
}

TEST_CASE("reading that was stopped can go on") {
    Line line;
    std::string log;
    line->stop_reading(ErrorKind::body_timeout);
    CHECK(line->read_failure() == ErrorKind::body_timeout);
    line->read_on();
    CHECK_FALSE(line->read_failure().has_value());
    await_more(*line, log);
    line.peer->send("x");
    line.settle();
    CHECK(log == "+");
}

TEST_CASE("what is left unconsumed moves to the front when the buffer is full") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send(std::string(limits::buffer_small - 1, 'x') + "y");
    line.settle();
    line->consume(limits::buffer_small - 1);
    await_more(*line, log);
    line.peer->send("z");
    line.settle();
    CHECK(line->received() == "yz");
}

TEST_CASE("a full buffer with nothing consumed reads no more, and nothing is lost") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send(std::string(limits::buffer_small, 'x') + "tail");
    line.settle();
    await_more(*line, log);
    CHECK(log == "+-");
    CHECK_FALSE(line->starved());
    line->consume(10);
    await_more(*line, log);
    line.settle();
    CHECK(log == "+-+");
    CHECK(line->received().ends_with("xtail"));
}

TEST_CASE("a message that is larger than a small buffer gets a large one") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send(std::string(limits::buffer_small, 'h'));
    line.settle();
    CHECK(line->reserve(limits::buffer_small));
    CHECK(line.loop->bulk_buffers().leased() == 0);
    CHECK(line->reserve(limits::buffer_small + 1));
    CHECK(line.loop->bulk_buffers().leased() == 1);
    CHECK(line.loop->small_buffers().leased() == 0);
    CHECK(line->received() == std::string(limits::buffer_small, 'h'));
    await_more(*line, log);
    line.peer->send("more");
    line.settle();
    CHECK(line->received() == std::string(limits::buffer_small, 'h') + "more");
    CHECK_FALSE(line->reserve(limits::buffer_bulk + 1));
}

TEST_CASE("reserve() makes room behind what was consumed before it takes a larger buffer") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send(std::string(limits::buffer_small - 3, 'x') + "abc");
    line.settle();
    line->consume(limits::buffer_small - 3);
    CHECK(line->reserve(limits::buffer_small));
    CHECK(line->received() == "abc");
    CHECK(line.loop->bulk_buffers().leased() == 0);
}

TEST_CASE("long bodies go through a large buffer, and the head stays pinned in the small one") {
    Line line;
    std::string log;
    await_more(*line, log);
    line.peer->send("HEAD");
    line.settle();
    const std::string_view head = line->received();
    line->consume(4);
    line->pin();
    line->want_bulk(true);
    await_more(*line, log);
    line.peer->send(std::string(limits::buffer_bulk, 'b'));
    line.settle();
    CHECK(line->received().size() == limits::buffer_bulk);
    CHECK(head == "HEAD");
    CHECK(line.loop->small_buffers().leased() == 1);
    CHECK(line.loop->bulk_buffers().leased() == 1);
    line->consume(limits::buffer_bulk);
    line->unpin();
    line->want_bulk(false);
    await_more(*line, log);
    CHECK(line.loop->bulk_buffers().leased() == 0);
    line.peer->send("next");
    line.settle();
    CHECK(line->received() == "next");
}

TEST_CASE("an idle connection gives its buffer back and takes one when bytes come") {
    Line line;
    line->arm();
    CHECK(line.loop->small_buffers().leased() == 1);
    line->park();
    line.settle();
    CHECK(line->parked());
    CHECK(line.peer->waits_readable());
    CHECK(line.loop->small_buffers().leased() == 0);
    CHECK(line->seen == 0);
    line.peer->send("wake");
    line.settle();
    CHECK(line->seen == 1);
    CHECK_FALSE(line->parked());
    CHECK(line->received() == "wake");
}

TEST_CASE("a parked connection sees the end, a reset and its own close") {
    for (int way = 0; way < 3; ++way) {
        Line line;
        line->arm();
        line->park();
        line.settle();
        REQUIRE(line->parked());
        if (way == 0) line.peer->finish();
        if (way == 1) line.peer->reset();
        if (way == 2) line->close();
        line.settle();
        CHECK(line->seen == 1);
        CHECK(line->at_end());
        CHECK(line->broken().failed() == (way != 0));
        CHECK_FALSE(line->busy());
    }
}

TEST_CASE("a coroutine may wait through parking") {
    Line line;
    std::string log;
    await_more(*line, log);
    line->park();
    line.settle();
    CHECK(line->parked());
    CHECK(log == "");
    line.peer->send("x");
    line.settle();
    CHECK(log == "+");
}

TEST_CASE("bytes that come while it is parking are not lost") {
    Line line;
    line->arm();
    line.peer->send("quick");
    line->park();
    line.settle();
    CHECK(line->seen == 1);
    CHECK(line->received() == "quick");
}

TEST_CASE("with unconsumed or pinned bytes, or no read pending, there is nothing to park") {
    Line line;
    line->park();
    CHECK_FALSE(line->parked());
    line->arm();
    line.peer->send("ab");
    line.settle();
    line->arm();
    line->park();
    line.settle();
    CHECK_FALSE(line->parked());
    line->consume(2);
    line->pin();
    line->park();
    line.settle();
    CHECK_FALSE(line->parked());
}

TEST_CASE("close() while it is parking ends it") {
    Line line;
    line->arm();
    line->park();
    line->close();
    line.settle();
    CHECK_FALSE(line->busy());
    CHECK(line->seen == 1);
    CHECK(line->at_end());
}

TEST_CASE("a starved connection says so and recovers when a buffer is free") {
    Line line;
    std::vector<BufferLease> all = all_of(line.loop->small_buffers());
    std::string log;
    await_more(*line, log);
    CHECK(log == "-");
    CHECK(line->starved());
    CHECK_FALSE(line->at_end());
    all.pop_back();
    await_more(*line, log);
    line.peer->send("x");
    line.settle();
    CHECK(log == "-+");
    CHECK_FALSE(line->starved());
}

TEST_CASE("a connection that may reads through a spare buffer until there is another one") {
    Line line;
    BufferPool& spares = line.loop->spare_buffers();
    std::vector<BufferLease> all = all_of(line.loop->small_buffers());
    line->use_spares();
    const std::string text(limits::buffer_spare + 1, 'x');
    line.peer->send(text);
    std::string log;
    await_more(*line, log);
    line.settle();
    CHECK(line->received().size() == limits::buffer_spare);
    CHECK(spares.leased() == 1);
    line->consume(limits::buffer_spare);
    all.pop_back();
    await_more(*line, log);
    line.settle();
    CHECK(line->received() == "x");
    CHECK(spares.leased() == 0);
}

TEST_CASE("a connection starves when the spare buffers are out, too") {
    Line line;
    const std::vector<BufferLease> all = all_of(line.loop->small_buffers());
    const std::vector<BufferLease> spares = all_of(line.loop->spare_buffers());
    line->use_spares();
    std::string log;
    await_more(*line, log);
    CHECK(log == "-");
    CHECK(line->starved());
}
