// Heads, bodies and their framing leave in one piece, and failures have the right name.
#include "proxy/http1/message_sink.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/net/line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

using Kind = BodyFraming::Kind;

detail::Detached write_all(BodySink& sink, std::vector<BodyChunk> chunks, std::string& log) {
    for (const BodyChunk& chunk : chunks) {
        const Result<void> written = co_await sink.write(chunk);
        log += written ? "w" : std::string(written.error().reason());
    }
}

detail::Detached flush(BodySink& sink, std::string& log) {
    const Result<void> flushed = co_await sink.flush();
    log += flushed ? "f" : std::string(flushed.error().reason());
}

const Http1MessageSink::Rules rules{.patience = {.stall = 2s, .stalled = ErrorKind::client_stalled},
                                    .broken = ErrorKind::client_closed};

/// What a message of these chunks looks like on the wire.
struct Sent {
    std::string bytes;
    std::size_t writes = 0;
    bool complete = false, fin = false;
};
Sent send(const BodyFraming& framing, const std::vector<BodyChunk>& chunks, bool fin = false) {
    Line line;
    Http1MessageSink sink;
    std::string log;
    sink.start(*line, rules);
    sink.head() = "HEAD\r\n\r\n";
    sink.frame(framing);
    if (fin) sink.end_with_fin();
    write_all(sink, chunks, log);
    CHECK(log == std::string(chunks.size(), 'w'));
    CHECK(sink.sent() == line.peer->written().size());
    return {line.peer->written(), line.peer->writes(), sink.complete(), line.peer->saw_end()};
}

}  // namespace

TEST_CASE("a head and its whole body leave in one write, whatever the framing") {
    Sent sent = send({Kind::length, 5}, {{"hello", true, nullptr}});
    CHECK(sent.bytes == "HEAD\r\n\r\nhello");
    CHECK(sent.writes == 1);
    CHECK(sent.complete);
    sent = send({Kind::chunked, 0}, {{"hello", true, nullptr}});
    CHECK(sent.bytes == "HEAD\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    CHECK(sent.writes == 1);
    CHECK(sent.complete);
    sent = send({Kind::until_close, 0}, {{"hello", true, nullptr}});
    CHECK(sent.bytes == "HEAD\r\n\r\nhello");
    CHECK(sent.writes == 1);
    CHECK(sent.complete);
    CHECK_FALSE(sent.fin);
}

TEST_CASE("a body without framing is not written, only its head") {
    const Sent sent = send({}, {{"", true, nullptr}});
    CHECK(sent.bytes == "HEAD\r\n\r\n");
    CHECK(sent.complete);
}

TEST_CASE("each chunk is one write, with its size in hex before and its line end behind") {
    const std::string long_chunk(0x1a2b, 'x');
    HeaderList trailers;
    trailers.add("X-Sum", "1");
    trailers.add("X-More", "two");
    const Sent sent =
        send({Kind::chunked, 0},
             {{"a", false, nullptr}, {long_chunk, false, nullptr}, {"", true, &trailers}});
    CHECK(sent.bytes == "HEAD\r\n\r\n1\r\na\r\n1a2b\r\n" + long_chunk +
                            "\r\n0\r\nX-Sum: 1\r\nX-More: two\r\n\r\n");
    CHECK(sent.writes == 3);
}

TEST_CASE("a body that ends before its length is not complete") {
    CHECK_FALSE(send({Kind::length, 5}, {{"hell", true, nullptr}}).complete);
    CHECK_FALSE(send({Kind::length, 5}, {{"hello", false, nullptr}}).complete);
    CHECK(send({Kind::length, 5}, {{"hell", false, nullptr}, {"o", true, nullptr}}).complete);
    CHECK_FALSE(send({Kind::chunked, 0}, {{"hello", false, nullptr}}).complete);
}

TEST_CASE("the end of a tunnel is a half-close") {
    CHECK_FALSE(send({Kind::until_close, 0}, {{"a", false, nullptr}}, true).fin);
    const Sent sent =
        send({Kind::until_close, 0}, {{"a", false, nullptr}, {"", true, nullptr}}, true);
    CHECK(sent.fin);
    CHECK(sent.bytes == "HEAD\r\n\r\na");
}

TEST_CASE("a flushed head goes out once") {
    Line line;
    Http1MessageSink sink;
    std::string log;
    sink.start(*line, rules);
    flush(sink, log);  // nothing to do yet
    CHECK(line.peer->writes() == 0);
    sink.head() = "HEAD";
    sink.frame({Kind::length, 1});
    flush(sink, log);
    flush(sink, log);
    CHECK(line.peer->written() == "HEAD");
    write_all(sink, {{"x", true, nullptr}}, log);
    CHECK(line.peer->written() == "HEADx");
    CHECK(log == "fffw");
}

TEST_CASE("a sink can be started again for another message") {
    Line line;
    Http1MessageSink sink;
    std::string log;
    for (int i = 0; i < 2; ++i) {
        sink.start(*line, rules);
        CHECK(sink.sent() == 0);
        CHECK_FALSE(sink.complete());
        sink.head() = "H";
        sink.frame({Kind::length, 2});
        write_all(sink, {{"ab", true, nullptr}}, log);
        CHECK(sink.sent() == 3);
        CHECK(sink.complete());
    }
    CHECK(line.peer->written() == "HabHab");
}

TEST_CASE("a peer that takes nothing has stalled, one that is gone is gone") {
    for (const bool gone : {false, true}) {
        Line line;
        line.peer->window(3);
        Http1MessageSink sink;
        std::string log;
        sink.start(*line, rules);
        sink.bound(4s, never);
        sink.frame({Kind::length, 5});
        write_all(sink, {{"hello", true, nullptr}}, log);
        line.pass(3s);
        CHECK(log == "");
        if (gone) line.peer->reset();
        line.settle();
        line.pass(1100ms);
        CHECK(log == std::string(gone ? "client_closed" : "client_stalled"));
        CHECK(sink.sent() == 3);
    }
}

TEST_CASE("a write that makes progress still has its hard end") {
    Line line;
    line.peer->window(0);
    Http1MessageSink sink;
    std::string log;
    sink.start(*line, rules);
    sink.bound(2s, line.clock.now() + 5s);
    sink.frame({Kind::length, 5});
    write_all(sink, {{"hello", true, nullptr}}, log);
    for (int i = 0; i < 3; ++i) {
        line.pass(1500ms);
        line.peer->window(1);
        line.settle();
    }
    CHECK(log == "");
    line.pass(600ms);
    CHECK(log == "request_timeout");
    CHECK(sink.sent() == 3);
}
