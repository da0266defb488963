// Connection over a scripted stream: connecting, writing, deadlines, and every way to end it.
#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include "tests/support/turns.hpp"
#include "tests/unit/core/net/line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

const Connection::Patience patience{.stall = 2s, .stalled = ErrorKind::client_stalled};

detail::Detached await_write(Connection& connection, std::string data, IoResult& result,
                             std::string& log) {
    result = co_await connection.write(patience, data, "", "|");
    log += "w";
}

detail::Detached await_connect(Connection& connection, SocketAddress to, std::string& log) {
    const boost::system::error_code error = co_await connection.connect(to);
    log += error ? error.message() : "connected";
}

const std::string ten = "0123456789";

}  // namespace

TEST_CASE("what fits is written at once, in one piece") {
    Line line;
    IoResult result;
    std::string log;
    await_write(*line, ten, result, log);
    CHECK(log == "w");
    CHECK(result.bytes == 11);
    CHECK_FALSE(result.error.failed());
    CHECK(line.peer->written() == ten + "|");
    CHECK(line.peer->writes() == 1);
}

TEST_CASE("a write goes on wherever it was stopped") {
    for (std::size_t step = 1; step <= 11; ++step) {
        Line line;
        line.peer->window(0);
        IoResult result;
        std::string log;
        await_write(*line, ten, result, log);
        CHECK(line->writing());
        CHECK(line->busy());
        for (int i = 0; i < 11 && log.empty(); ++i) {
            line.peer->window(step);
            line.settle();
        }
        CHECK(log == "w");
        CHECK(result.bytes == 11);
        CHECK(line.peer->written() == ten + "|");
        CHECK_FALSE(line->writing());
    }
}

TEST_CASE("the write deadline is counted from the last progress") {
    Line line;
    line.peer->window(0);
    IoResult result;
    std::string log;
    await_write(*line, ten, result, log);
    for (int i = 0; i < 4; ++i) {
        line.pass(1900ms);
        line.peer->window(1);
        line.settle();
    }
    CHECK(log == "");
    line.pass(1990ms);
    CHECK(log == "");
    line.pass(20ms);
    CHECK(log == "w");
    CHECK(result.bytes == 4);
    CHECK(result.error.failed());
    CHECK(line->failure() == ErrorKind::client_stalled);
    CHECK_FALSE(line->is_open());
}

TEST_CASE("a finished write leaves no deadline behind") {
    Line line;
    line.peer->window(5);
    IoResult result;
    std::string log;
    await_write(*line, ten, result, log);
    line.peer->window(100);
    line.settle();
    CHECK(log == "w");
    line.pass(1h);
    CHECK_FALSE(line->failure().has_value());
    CHECK(line->is_open());
}

TEST_CASE("a write to a broken or closed stream ends with its error") {
    Line line;
    line.peer->window(3);
    IoResult result;
    std::string log;
    await_write(*line, ten, result, log);
    line.peer->reset();
    line.settle();
    CHECK(log == "w");
    CHECK(result.bytes == 3);
    CHECK(result.error == boost::asio::error::connection_reset);
    line->close();
    await_write(*line, ten, result, log);
    CHECK(log == "ww");
    CHECK(result.bytes == 0);
    CHECK(result.error.failed());
}

TEST_CASE("reading goes on beside a write that waits") {
    Line line;
    line.peer->window(0);
    IoResult result;
    std::string log;
    await_write(*line, ten, result, log);
    await_more(*line, log);
    line.peer->send("early");
    line.settle();
    CHECK(log == "+");
    CHECK(line->received() == "early");
    line.peer->window(100);
    line.settle();
    CHECK(log == "+w");
}

TEST_CASE("each way has its deadline, and the earlier one comes first") {
    for (const bool read_first : {true, false}) {
        Line line;
        line->arm();
        line->expire_at(Connection::Way::read, line.clock.now() + (read_first ? 2s : 4s),
                        ErrorKind::body_timeout);
        line->expire_at(Connection::Way::write, line.clock.now() + 3s, ErrorKind::connect_timeout);
        line.pass(1s);
        CHECK_FALSE(line->failure().has_value());
        line.pass(3s);
        CHECK(line->failure() ==
              (read_first ? ErrorKind::body_timeout : ErrorKind::connect_timeout));
        CHECK_FALSE(line->busy());
        CHECK(line->at_end());
    }
}

TEST_CASE("a deadline that is moved, called off or set anew counts as it was set last") {
    using Way = Connection::Way;
    Line line;
    const TimePoint start = line.clock.now();
    line->expire_at(Way::read, start + 2s, ErrorKind::body_timeout);
    line->expire_at(Way::read, start + 5s, ErrorKind::header_timeout);
    line.pass(3s);
    CHECK_FALSE(line->failure().has_value());
    line->expire_at(Way::read, never, ErrorKind::cancelled);
    line.pass(10s);
    CHECK_FALSE(line->failure().has_value());
    line->expire_at(Way::write, start + 60s, ErrorKind::client_stalled);
    line->expire_at(Way::read, start + 20s, ErrorKind::upstream_timeout);
    line.pass(6s);
    CHECK_FALSE(line->failure().has_value());
    line.pass(2s);
    CHECK(line->failure() == ErrorKind::upstream_timeout);
}

TEST_CASE("a later deadline of the other way still comes after one that was called off") {
    using Way = Connection::Way;
    Line line;
    const TimePoint start = line.clock.now();
    line->expire_at(Way::read, start + 1s, ErrorKind::body_timeout);
    line->expire_at(Way::write, start + 3s, ErrorKind::client_stalled);
    line->expire_at(Way::read, never, ErrorKind::cancelled);
    line.pass(2s);
    CHECK_FALSE(line->failure().has_value());
    line.pass(1100ms);
    CHECK(line->failure() == ErrorKind::client_stalled);
}

TEST_CASE("interrupted, who waits goes on with nothing while the read stays pending") {
    Line line;
    std::string log;
    await_more(*line, log);
    line->interrupt();
    CHECK(log == "");  // soon, not inside of the call
    line.settle();
    CHECK(log == "-");
    CHECK(line->reading());
    line.peer->send("x");
    line.settle();
    CHECK(line->received() == "x");
    CHECK(line->seen == 1);
    line->interrupt();  // nobody waits
    line.settle();
    CHECK(log == "-");
}

TEST_CASE("bytes that come together with an interruption are not lost") {
    Line line;
    std::string log;
    await_more(*line, log);
    line->interrupt();
    line.peer->send("x");
    line.settle();
    CHECK(log.size() == 1);
    CHECK(line->received() == "x");
}

TEST_CASE("when reading is stopped the reader goes on, and writing still works") {
    Line line;
    std::string log;
    await_more(*line, log);
    line->stop_reading(ErrorKind::header_timeout);
    line.settle();
    CHECK(log == "-");
    CHECK(line->read_failure() == ErrorKind::header_timeout);
    CHECK_FALSE(line->failure().has_value());
    IoResult result;
    await_write(*line, "408", result, log);
    CHECK(log == "-w");
    CHECK(line.peer->written() == "408|");
    line->fail(ErrorKind::client_stalled);
    CHECK(line->read_failure() == ErrorKind::header_timeout);
}

TEST_CASE("fail() completes a reader and a writer, and the first reason stays") {
    Line line;
    line.peer->window(0);
    IoResult result;
    std::string log;
    await_write(*line, ten, result, log);
    await_more(*line, log);
    line->fail(ErrorKind::upstream_stalled);
    line->fail(ErrorKind::cancelled);
    CHECK(log == "");  // not inside of the call
    line.settle();
    CHECK(log.size() == 2);
    CHECK(log.find('w') != std::string::npos);
    CHECK(log.find('-') != std::string::npos);
    CHECK(result.error.failed());
    CHECK(line->failure() == ErrorKind::upstream_stalled);
    CHECK(line->at_end());
    CHECK_FALSE(line->busy());
    CHECK(line.peer->closed());
    await_more(*line, log);  // at once, with nothing
    await_write(*line, ten, result, log);
    CHECK(log.size() == 4);
}

TEST_CASE("close() has no failure, completes what waits, and resets if asked to") {
    for (const bool reset : {false, true}) {
        Line line;
        std::string log;
        await_more(*line, log);
        line->close(reset);
        line.settle();
        CHECK(log == "-");
        CHECK_FALSE(line->failure().has_value());
        CHECK(line.peer->closed_by_reset() == reset);
    }
}

TEST_CASE("our half-close ends one direction only") {
    Line line;
    std::string log;
    line->shutdown_write();
    CHECK(line.peer->saw_end());
    CHECK_FALSE(line.peer->closed());
    await_more(*line, log);
    line.peer->send("still");
    line.settle();
    CHECK(line->received() == "still");
}

TEST_CASE("connecting ends well, with the error, or at its deadline") {
    const SocketAddress to = *SocketAddress::from_ip("192.0.2.1", 80);
    for (int way = 0; way < 3; ++way) {
        FarClock far;
        ManualClock& clock = far.clock;
        EventLoop loop(clock, 1, 1'000);
        Faults faults;
        if (way == 2) faults.strike(1, Faults::Way::stall);
        ScriptedDialer dialer(faults);
        dialer.on_connect = [&](ScriptedPeer& peer) {
            if (way == 1) peer.connect_result(boost::asio::error::connection_refused);
        };
        Watched connection(loop, dialer.open(loop, {}));
        std::string log;
        connection.expire_at(Connection::Way::write, clock.now() + 1s, ErrorKind::connect_timeout);
        await_connect(connection, to, log);
        CHECK(connection.busy());
        CHECK(log == "");
        settle(loop);
        CHECK(dialer.peers[0]->address() == to);
        if (way == 0) CHECK(log == "connected");
        if (way == 1) CHECK(log == "Connection refused");
        if (way == 2) {
            CHECK(log == "");
            clock.advance(1001ms);
            loop.turn_timers();
            settle(loop);
            CHECK(log == "Operation canceled");
            CHECK(connection.failure() == ErrorKind::connect_timeout);
        }
        CHECK_FALSE(connection.busy());
    }
}
