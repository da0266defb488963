// How streams and sessions end otherwise than well: GOAWAY, resets, lost connections, peers that
// break the protocol or a bound.
#include <boost/asio/error.hpp>

#include "tests/unit/core/http2/wire.hpp"

using namespace scrollgate;
using namespace scrollgate::http2;
using namespace scrollgate::test;

namespace {

constexpr std::uint32_t protocol_error = 1, refused_stream = 7, cancel = 8;
constexpr std::uint8_t data = 0, headers = 1, push_promise = 5;
constexpr std::uint8_t end_stream = 1, end_headers = 4;

ErrorKind kind_of(const RecordedStream& stream) {
    REQUIRE(stream.error);
    CHECK(stream.last_calls == 1);
    CHECK_FALSE(stream.open());
    return stream.error->kind;
}

/// The peer sends one frame of its own making on the stream of a request.
void raw_frame(Wire& wire, RecordedStream& stream, std::uint8_t type, std::uint8_t flags,
               const std::string& payload) {
    const std::int32_t id = wire.send(stream);
    wire.session.feed(http2_frame(type, flags, id, payload));
    wire.carry();
}

}  // namespace

TEST_CASE("GOAWAY: what the peer took is answered, the rest may be sent elsewhere") {
    RecordedStream streams[4];
    Wire wire;
    const std::int32_t first = wire.send(streams[0]);
    wire.send(streams[1]);
    wire.send(streams[2]);
    REQUIRE(wire.session.submit(streams[3], request()));  // not even sent
    wire.peer.go_away(first);
    wire.session.feed(wire.peer.give());
    CHECK(wire.session.going_away());
    for (int i = 1; i < 4; ++i) {
        CHECK(kind_of(streams[i]) == ErrorKind::upstream_refused);
        CHECK(streams[i].error->retry_safe);
    }
    CHECK_FALSE(wire.session.submit(streams[1], request()));
    CHECK_FALSE(wire.session.over());
    wire.peer.respond(first, {{":status", "200"}}, "last");
    wire.carry();
    CHECK(streams[0].ended);
    CHECK(streams[0].body == "last");
    CHECK(wire.session.over());
    CHECK(wire.peer.requests.size() == 3);
}

TEST_CASE("GOAWAY without a stream open ends the session") {
    Wire wire;
    wire.carry();
    wire.peer.go_away(0);
    wire.carry();
    CHECK(wire.session.over());
    CHECK(wire.session.fault() == nullptr);
}

TEST_CASE("an owner that is told of a GOAWAY may call off its other streams") {
    RecordedStream streams[3];
    Wire wire;
    for (RecordedStream& stream : streams)
        wire.send(stream);
    streams[2].on_end = [&] { wire.session.reset(streams[0]); };
    wire.peer.go_away(0);
    wire.carry();
    CHECK(streams[0].last_calls == 0);
    CHECK(streams[1].last_calls == 1);
    CHECK(streams[2].last_calls == 1);
    CHECK(wire.session.open_streams() == 0);
}

TEST_CASE("RST_STREAM: before and after the head, refused or not") {
    RecordedStream before, after, refused;
    Wire wire;
    wire.peer.reset(wire.send(before), cancel);
    wire.carry();
    CHECK(kind_of(before) == ErrorKind::upstream_reset);
    CHECK_FALSE(before.error->retry_safe);
    CHECK_FALSE(before.error->cause);

    const std::int32_t id = wire.send(after);
    wire.peer.head(id, {{":status", "200"}}, false);
    wire.carry();
    wire.peer.reset(id, cancel);
    wire.carry();
    CHECK(kind_of(after) == ErrorKind::upstream_truncated);

    wire.peer.reset(wire.send(refused), refused_stream);
    wire.carry();
    CHECK(kind_of(refused) == ErrorKind::upstream_refused);
    CHECK(refused.error->retry_safe);
    CHECK_FALSE(wire.session.going_away());
}

TEST_CASE("a reset from this side: the peer is told, the stream hears nothing more") {
    RecordedStream sent, unsent, inside;
    Wire wire;
    const std::int32_t id = wire.send(sent);
    wire.session.reset(sent);
    REQUIRE(wire.session.submit(unsent, request()));
    wire.session.reset(unsent);
    wire.carry();
    CHECK(wire.peer.requests[id].reset == cancel);
    CHECK(wire.peer.requests.size() == 1);

    inside.on_head = [&] { wire.session.reset(inside); };
    wire.peer.respond(wire.send(inside), {{":status", "200"}}, "body");
    wire.carry();
    CHECK(inside.body.empty());
    for (const RecordedStream* stream : {&sent, &unsent, &inside})
        CHECK(stream->last_calls == 0);
    CHECK(wire.session.open_streams() == 0);
    CHECK(wire.session.fault() == nullptr);
}

TEST_CASE("a connection that ends takes its streams with it") {
    RecordedStream unsent, waiting, begun;
    Wire wire;
    wire.send(waiting);
    wire.peer.head(wire.send(begun), {{":status", "200"}, {"content-length", "9"}}, false);
    wire.carry();
    REQUIRE(wire.session.submit(unsent, request()));
    wire.session.lost(boost::asio::error::eof);
    CHECK(kind_of(waiting) == ErrorKind::upstream_reset);
    CHECK_FALSE(waiting.error->retry_safe);
    CHECK(waiting.error->cause == boost::asio::error::eof);
    CHECK(kind_of(begun) == ErrorKind::upstream_truncated);
    CHECK(kind_of(unsent) == ErrorKind::upstream_reset);
    CHECK(unsent.error->retry_safe);
    CHECK(wire.session.over());
    CHECK_FALSE(wire.session.submit(waiting, request()));
    CHECK(wire.pull().empty());
}

TEST_CASE("a field section beyond the bounds ends its stream, and no other") {
    SessionOptions options;
    options.header_bytes = 1'000;
    options.fields = 10;
    RecordedStream fits, large, many, other;
    Wire wire(options);
    // :status counts 10 + 32, the field 1 + 32 and its value.
    const auto head_of = [](std::size_t value) {
        return Http2Fields{{":status", "200"}, {"x", std::string(value, 'v')}};
    };
    wire.peer.respond(wire.send(fits), head_of(1'000 - 42 - 33), "ok");
    wire.carry();
    CHECK(fits.ended);
    std::int32_t id = wire.send(large);
    wire.peer.respond(id, head_of(1'000 - 42 - 33 + 1), "ok");
    wire.carry();
    CHECK(kind_of(large) == ErrorKind::upstream_malformed);
    CHECK(large.heads.empty());
    CHECK(wire.peer.requests[id].reset == protocol_error);

    Http2Fields fields{{":status", "200"}};
    for (int i = 0; i < 10; ++i)
        fields.emplace_back("x", "");
    wire.peer.respond(wire.send(many), fields, "ok");
    wire.carry();
    CHECK(kind_of(many) == ErrorKind::upstream_malformed);

    wire.peer.respond(wire.send(other), {{":status", "200"}}, "ok");
    wire.carry();
    CHECK(other.ended);
}

TEST_CASE("trailers have bounds, too") {
    SessionOptions options;
    options.header_bytes = 1'000;
    RecordedStream stream;
    Wire wire(options);
    wire.peer.respond(wire.send(stream), {{":status", "200"}}, "body",
                      {{"x", std::string(1'000, 'v')}});
    wire.carry();
    CHECK(kind_of(stream) == ErrorKind::upstream_malformed);
    CHECK(stream.body == "body");
}

TEST_CASE("a head that breaks the rules is refused as a whole") {
    const Http2Fields bad[] = {
        {{"server", "s"}},
        {{":status", "600"}},
        {{":status", "099"}},
        {{":status", "20"}},
        {{":status", "2000"}},
        {{":status", "200"}, {":status", "200"}},
        {{":status", "101"}},
        {{"server", "s"}, {":status", "200"}},
        {{":status", "200"}, {":path", "/"}},
        {{":status", "200"}, {"Server", "s"}},
        {{":status", "200"}, {"connection", "close"}},
        {{":status", "200"}, {"transfer-encoding", "chunked"}},
        {{":status", "200"}, {"keep-alive", "timeout=5"}},
        {{":status", "200"}, {"x y", "1"}},
        {{":status", "200"}, {"", "1"}},
        {{":status", "200"}, {"x", "a\nb"}},
        {{":status", "200"}, {"x", std::string("a\0b", 3)}},
        {{":status", "200"}, {"x", " a"}},
        {{":status", "200"}, {"content-length", "1"}, {"content-length", "1"}},
        {{":status", "200"}, {"content-length", "x"}},
        {{":status", "200"}, {"content-length", "007"}},
        {{":status", "200"}, {"content-length", "-1"}},
    };
    for (const Http2Fields& fields : bad) {
        RecordedStream stream;
        Wire wire;
        raw_frame(wire, stream, headers, end_headers, http2_literal_fields(fields));
        CAPTURE(fields.back().first);
        CAPTURE(fields.back().second);
        CHECK(kind_of(stream) == ErrorKind::upstream_malformed);
        CHECK(stream.heads.empty());
        CHECK(std::string(stream.error->detail) != "");
    }
}

TEST_CASE("a body of another length than was said is refused") {
    for (const char* length : {"3", "5"}) {
        RecordedStream stream;
        Wire wire;
        const std::int32_t id = wire.send(stream);
        wire.session.feed(
            http2_frame(headers, end_headers, id,
                        http2_literal_fields({{":status", "200"}, {"content-length", length}})));
        wire.session.feed(http2_frame(data, end_stream, id, "four"));
        wire.carry();
        CHECK(kind_of(stream) == ErrorKind::upstream_malformed);
        CHECK_FALSE(stream.ended);
    }
}

TEST_CASE("frames that break the connection break all its streams") {
    const std::string promise = std::string("\0\0\0\2", 4) + http2_literal_fields({{":path", "/"}});
    const std::string settings_on_stream = http2_frame(4, 0, 1, "");
    const std::string too_large = http2_frame(data, 0, 1, std::string(16'385, 'x'));
    const std::string bad_hpack = http2_frame(headers, end_headers, 1, "\xff\xff\xff\xff\xff");
    for (const std::string& bytes : {http2_frame(push_promise, end_headers, 1, promise),
                                     settings_on_stream, too_large, bad_hpack}) {
        RecordedStream one, two;
        Wire wire;
        wire.send(one);
        wire.send(two);
        wire.session.feed(bytes);
        wire.carry();
        CHECK(kind_of(one) == ErrorKind::upstream_malformed);
        CHECK(kind_of(two) == ErrorKind::upstream_malformed);
        CHECK(wire.session.fault() != nullptr);
        CHECK(wire.session.over());
        CHECK(wire.peer.goaways.size() == 1);
        CHECK_FALSE(wire.session.submit(one, request()));
    }
}

TEST_CASE("a peer that speaks something else is found out at once") {
    for (const char* other : {"HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.test ESMTP\r\n",
                              "\x16\x03\x01\x02\x06\x01\x01\xfc\x03\x03"}) {
        RecordedStream stream;
        Wire wire;
        REQUIRE(wire.session.submit(stream, request()));
        CHECK(wire.pull() != "");
        wire.session.feed(other);
        CHECK(wire.pull() != "");  // GOAWAY
        CHECK(kind_of(stream) == ErrorKind::upstream_malformed);
        CHECK(wire.session.over());
    }
}

TEST_CASE("a peer that asks and does not listen is not answered without end") {
    RecordedStream stream;
    Wire wire;
    wire.send(stream);
    const std::string ping = http2_frame(6, 0, 0, "12345678");
    for (std::size_t i = 0; i < limits::http2_answers; ++i)
        wire.session.feed(ping);
    CHECK_FALSE(wire.session.over());
    wire.session.feed(ping);
    CHECK(wire.session.over());
    CHECK(kind_of(stream) == ErrorKind::upstream_malformed);
}

namespace {

/// A response head and as many CONTINUATION frames, each with a field; the last one ends it.
std::string head_in_frames(std::int32_t id, unsigned continuations) {
    constexpr std::uint8_t continuation = 9;
    std::string bytes =
        http2_frame(headers, end_stream, id, http2_literal_fields({{":status", "200"}}));
    for (unsigned i = 1; i <= continuations; ++i)
        bytes += http2_frame(continuation, i == continuations ? end_headers : 0, id,
                             http2_literal_fields({{"x", std::to_string(i)}}));
    return bytes;
}

}  // namespace

TEST_CASE("a head in many frames is whole, however it trickles") {
    for (const std::size_t piece : {1U, 2U, 9U, 10U, 1'000'000U}) {
        CAPTURE(piece);
        RecordedStream one, two;
        Wire wire;
        const unsigned frames = limits::http2_continuations;
        for (RecordedStream* stream : {&one, &two}) {
            const std::string bytes = head_in_frames(wire.send(*stream), frames);
            for (std::size_t at = 0; at < bytes.size(); at += piece)
                wire.session.feed(std::string_view(bytes).substr(at, piece));
            REQUIRE(stream->ended);
            CHECK(stream->heads.at(0).ends_with(" x=" + std::to_string(frames)));
        }
        CHECK(wire.session.fault() == nullptr);
    }
}

TEST_CASE("a head in more frames than anybody needs ends the session") {
    for (const std::size_t piece : {1U, 1'000'000U}) {
        RecordedStream stream;
        Wire wire;
        const std::string bytes =
            head_in_frames(wire.send(stream), limits::http2_continuations + 1);
        for (std::size_t at = 0; at < bytes.size(); at += piece)
            wire.session.feed(std::string_view(bytes).substr(at, piece));
        CHECK(wire.session.over());
        CHECK(kind_of(stream) == ErrorKind::upstream_malformed);
        CHECK(std::string(wire.session.fault()) == "too many CONTINUATION frames");
        CHECK(wire.pull().empty());
    }
}

TEST_CASE("empty pieces of a head without end, also of one that nobody wants, end the session") {
    for (const bool wanted : {true, false}) {
        RecordedStream stream;
        Wire wire;
        const std::int32_t id = wire.send(stream);
        if (!wanted) wire.session.reset(stream);
        wire.session.feed(http2_frame(headers, 0, id, http2_literal_fields({{":status", "200"}})));
        for (unsigned i = 0; i <= 10 * limits::http2_continuations; ++i)
            wire.session.feed(http2_frame(9, 0, id, ""));
        CHECK(wire.session.over());
        CHECK(wire.session.open_streams() == 0);
    }
}

TEST_CASE("a stream that is refused after its body was sent is one that is refused") {
    RecordedStream stream("body");
    Wire wire;
    wire.peer.reset(wire.send(stream, request_with("POST", "body")), refused_stream);
    wire.carry();
    CHECK(kind_of(stream) == ErrorKind::upstream_refused);
    CHECK(stream.error->retry_safe);
}
