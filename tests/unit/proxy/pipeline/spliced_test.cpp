// The relay between two HTTP/1 ends over real sockets, where it splices: all bytes, the right end,
// the right name for what goes wrong, and no pipe that is left behind.
#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "proxy/http1/body_source.hpp"
#include "proxy/http1/message_sink.hpp"
#include "proxy/pipeline/relay.hpp"
#include "proxy/pipeline/replay.hpp"
#include "tests/unit/core/net/socket_line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

using namespace std::chrono_literals;
using Kind = BodyFraming::Kind;

detail::Detached run(BodySource& from, BodySink& to, std::uint64_t& bytes, EventLoop& loop,
                     std::string& log) {
    const std::optional<RelayError> broke = co_await relay(from, to, bytes, loop);
    if (!broke) {
        log = "whole";
    } else {
        log = broke->end == RelayError::End::source ? "source " : "sink ";
        log += broke->error.reason();
    }
}

/// An origin and a client, with a relay between them that goes on as the test pumps.
struct Spliced : SocketWorld {
    ~Spliced() {
        origin.connection.close();
        client.connection.close();
        settle();
        CHECK_FALSE(log.empty());
        CHECK(loop.pipes().leased() == 0);
    }
    void start(const BodyFraming& framing, const std::string& head = "HEAD\r\n\r\n") {
        settle();
        body.start(origin.connection, framing, rules);
        sink.start(
            client.connection,
            {.patience = {.stall = 2s, .stalled = ErrorKind::client_stalled, .until = rules.until},
             .broken = ErrorKind::client_closed});
        sink.head() = head;
        sink.frame(framing);
        run(body, sink, bytes, loop, log);
        settle();
    }
    /// One turn: the origin sends what goes of `text`, the client takes what has come.
    void pump(std::string_view& text) {
        text.remove_prefix(origin.send(text));
        loop.poll();
        client.receive(got);
    }
    /// Until the relay has ended. Beyond the last byte, `end` says how the origin goes.
    void pump_all(std::string_view text, bool ends = false) {
        while (log.empty()) {
            pump(text);
            if (text.empty() && std::exchange(ends, false)) origin.leave();
        }
        settle();
        client.receive(got);
    }

    SocketLine origin{loop}, client{loop};
    Http1BodySource body;
    Http1MessageSink sink;
    Http1BodySource::Rules rules{.stall = 3s,
                                 .stalled = ErrorKind::upstream_stalled,
                                 .out_of_time = ErrorKind::request_timeout,
                                 .cut_short = ErrorKind::upstream_truncated};
    std::string got, log;
    std::uint64_t bytes = 0;
};

constexpr std::size_t long_body = 3 * limits::MiB + 17;

}  // namespace

TEST_CASE("a long body arrives whole behind its head, and what stands behind it stays") {
    Spliced one;
    const std::string text = numbered(long_body);
    one.start({Kind::length, text.size()});
    one.pump_all(text + "next");
    CHECK(one.log == "whole");
    CHECK((one.got == "HEAD\r\n\r\n" + text));
    CHECK(one.bytes == text.size());
    CHECK(one.sink.complete());
    CHECK(one.sink.sent() == one.got.size());
    CHECK(one.body.ended());
    CHECK(one.body.bytes() == text.size());
    CHECK(one.loop.pipes().idle() == 1);  // it went this way
    CHECK(one.origin.connection.unread_behind());
    CHECK_FALSE(one.origin.connection.quiet());
    one.origin.connection.arm();
    one.settle();
    CHECK(one.origin.connection.received() == "next");
}

TEST_CASE("what came with the head goes with it") {
    Spliced one;
    const std::string text = numbered(long_body);
    one.settle();
    one.origin.send(std::string_view(text).substr(0, 1000));
    one.origin.connection.arm();
    one.settle();
    REQUIRE(one.origin.connection.received().size() == 1000);
    one.start({Kind::length, text.size()});
    one.client.receive(one.got);
    CHECK(one.got.size() == 8 + 1000);
    one.pump_all(std::string_view(text).substr(1000));
    CHECK((one.got == "HEAD\r\n\r\n" + text));
}

TEST_CASE("a short body, and one without a length that comes in small pieces, are not spliced") {
    Spliced one;
    SUBCASE("short") {
        one.start({Kind::length, 1000});
        one.pump_all(numbered(1000));
    }
    SUBCASE("pieces") {
        one.start({Kind::until_close, 0});
        for (int i = 0; i < 100; ++i) {
            std::string_view piece = "a piece";
            one.pump(piece);
            one.settle();
        }
        one.pump_all({}, true);
    }
    CHECK(one.log == "whole");
    CHECK(one.loop.pipes().idle() == 0);
}

TEST_CASE("a body without a length is spliced while much comes at a time, and ends with a FIN") {
    Spliced one;
    const std::string text = numbered(long_body);
    one.start({Kind::until_close, 0});
    one.pump_all(text, true);
    CHECK(one.log == "whole");
    CHECK((one.got == "HEAD\r\n\r\n" + text));
    CHECK(one.loop.pipes().idle() == 1);
}

TEST_CASE("without a pipe the bytes are copied") {
    Spliced one;
    std::vector<PipeLease> all;
    while (PipeLease pipe = one.loop.pipes().lease())
        all.push_back(std::move(pipe));
    CHECK(all.size() == limits::pipes);
    const std::string text = numbered(long_body);
    one.start({Kind::length, text.size()});
    SUBCASE("none at all") {}
    SUBCASE("some, after a while") {
        std::string_view first = std::string_view(text).substr(0, 400'000);
        while (!first.empty())
            one.pump(first);
        all.clear();
        one.pump_all(std::string_view(text).substr(400'000));
    }
    if (one.log.empty()) one.pump_all(text);
    CHECK((one.got == "HEAD\r\n\r\n" + text));
    all.clear();
}

TEST_CASE("an origin that ends or breaks before its end") {
    Spliced one;
    const std::string text = numbered(long_body);
    one.start({Kind::length, text.size() + 1});
    std::string_view rest = text;
    while (!rest.empty())
        one.pump(rest);
    SUBCASE("ends") {
        one.origin.leave();
        one.pump_all({});
        CHECK((one.got == "HEAD\r\n\r\n" + text));
    }
    SUBCASE("breaks") {
        one.origin.reset();
        one.pump_all({});
    }
    CHECK(one.log == "source upstream_truncated");
}

TEST_CASE("a client that takes nothing holds a pipe until its time is over") {
    Spliced one;
    const std::string text = numbered(long_body * 8);
    one.start({Kind::length, text.size()});
    std::string_view rest = text;
    std::size_t before = 0;
    do {
        before = rest.size();
        rest.remove_prefix(one.origin.send(rest));
        one.settle();
    } while (rest.size() != before);
    REQUIRE_FALSE(rest.empty());
    CHECK(one.loop.pipes().leased() == 1);
    CHECK(one.log.empty());
    SUBCASE("stalled") {
        one.pass(1s);
        CHECK(one.log.empty());
        one.pass(2s);
        CHECK(one.log == "sink client_stalled");
    }
    SUBCASE("gone") {
        one.client.reset();
        one.settle();
        CHECK(one.log == "sink client_closed");
    }
    SUBCASE("given up by us") {
        one.client.connection.fail(ErrorKind::shutting_down);
        one.settle();
        CHECK(one.log == "sink shutting_down");
    }
    CHECK(one.loop.pipes().idle() == 0);  // it was not empty
}

TEST_CASE("an origin that is silent holds no pipe and no buffer, and has its time") {
    Spliced one;
    const std::string text = numbered(long_body);
    one.start({Kind::length, text.size()});
    std::string_view first = std::string_view(text).substr(0, limits::MiB);
    while (!first.empty())
        one.pump(first);
    one.settle();
    one.client.receive(one.got);
    one.settle();
    CHECK(one.loop.pipes().leased() == 0);
    CHECK(one.loop.small_buffers().leased() == 0);
    CHECK(one.loop.bulk_buffers().leased() == 0);
    SUBCASE("stalled") {
        one.pass(2s);
        CHECK(one.log.empty());
        one.pass(2s);
        CHECK(one.log == "source upstream_stalled");
    }
    SUBCASE("interrupted") {
        one.body.interrupt();
        one.settle();
        CHECK(one.log == "source cancelled");
    }
    SUBCASE("called off") {
        one.origin.connection.fail(ErrorKind::cancelled);
        one.settle();
        CHECK(one.log == "source cancelled");
    }
    SUBCASE("not read any more") {
        one.origin.connection.stop_reading(ErrorKind::body_timeout);
        one.settle();
        CHECK(one.log == "source client_body_timeout");
    }
}

TEST_CASE("the hard end comes, though bytes are always there") {
    Spliced one;
    one.rules.until = one.loop.now() + 1s;
    const std::string text = numbered(limits::MiB);
    one.start({Kind::length, limits::unlimited});
    while (one.bytes < 4 * limits::MiB) {
        std::string_view piece = text;
        one.pump(piece);
    }
    CHECK(one.log.empty());
    std::string_view piece = text;
    one.pump(piece);
    one.clock.clock.advance(2s);  // no timer is looked at
    while (one.log.empty()) {
        one.loop.poll();
        one.client.receive(one.got);
        one.origin.send(text);
    }
    CHECK(one.log == "source request_timeout");
}

TEST_CASE("of a body that may be sent again, only what is not kept is spliced") {
    Spliced one;
    ReplayMemory memory;
    ReplayBody replay;
    const std::string text = numbered(long_body);
    bool keeps_all = false;
    SUBCASE("all is kept") {
        keeps_all = true;
    }
    SUBCASE("the beginning") {}
    one.settle();
    one.body.start(one.origin.connection, {Kind::length, text.size()}, one.rules);
    replay.start(one.body, keeps_all ? 4 * limits::MiB : 100'000, memory);
    one.sink.start(one.client.connection, {.patience = {}, .broken = ErrorKind::client_closed});
    one.sink.frame({Kind::length, text.size()});
    run(replay, one.sink, one.bytes, one.loop, one.log);
    one.pump_all(text);
    CHECK(one.log == "whole");
    CHECK((one.got == text));
    CHECK(replay.ended());
    CHECK(replay.whole() == keeps_all);
    CHECK(one.loop.pipes().idle() == (keeps_all ? 0 : 1));
}
