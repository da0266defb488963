// A ClientSession and a real server's session: requests, responses, bodies, windows.
#include "core/http2/client_session.hpp"

#include "tests/unit/core/http2/wire.hpp"

using namespace scrollgate;
using namespace scrollgate::http2;
using namespace scrollgate::test;
using Kind = BodyFraming::Kind;

TEST_CASE("a request and its response") {
    RecordedStream stream;
    Wire wire;
    RequestHead head = request("GET", "/a?b=c");
    head.fields.add("Accept", "text/plain");
    head.fields.add("X-Own", "1");
    const std::int32_t id = wire.send(stream, head);
    Http2Peer::Request& got = wire.peer.requests[id];
    CHECK(got.ended);
    CHECK(got.fields == Http2Fields{{":method", "GET"},
                                    {":scheme", "http"},
                                    {":authority", "a.test"},
                                    {":path", "/a?b=c"},
                                    {"accept", "text/plain"},
                                    {"x-own", "1"}});
    wire.peer.respond(id, {{":status", "200"}, {"content-length", "5"}, {"etag", "\"x\""}},
                      "hello");
    wire.carry();
    CHECK(stream.heads == std::vector<std::string>{"200 content-length=5 etag=\"x\""});
    CHECK(stream.framing.kind == Kind::length);
    CHECK(stream.framing.length == 5);
    CHECK(stream.body == "hello");
    CHECK(stream.ended);
    CHECK(stream.last_calls == 1);
    CHECK_FALSE(stream.open());
    CHECK(wire.session.open_streams() == 0);
}

TEST_CASE("a stream serves one request after another, also from within its last call") {
    RecordedStream stream;
    Wire wire;
    int left = 3;
    stream.on_end = [&] {
        if (--left > 0) REQUIRE(wire.session.submit(stream, request("GET", "/again")));
    };
    std::int32_t id = wire.send(stream);
    for (int i = 0; i < 3; ++i) {
        wire.peer.respond(id, {{":status", "200"}}, "x");
        wire.carry();
        id = wire.peer.requests.rbegin()->first;
    }
    CHECK(stream.body == "xxx");
    CHECK(wire.peer.requests.size() == 3);
    CHECK(wire.peer.requests.rbegin()->second[":path"] == "/again");
}

TEST_CASE("fields of a connection, Host and a foreign length are not sent") {
    RecordedStream stream;
    Wire wire;
    RequestHead head = request();
    for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
                             "Upgrade", "HTTP2-Settings", "Host", "Content-Length"})
        head.fields.add(name, "7");
    head.fields.add("TE", "gzip");
    head.fields.add("X-Kept", "1");
    CHECK(wire.peer.requests[wire.send(stream, head)].fields.size() == 5);
    RecordedStream other;
    head.fields.clear();
    head.fields.add("TE", "trailers");
    CHECK(wire.peer.requests[wire.send(other, head)]["te"] == "trailers");
    wire.session.lost({});
}

TEST_CASE("how the end of a body is known") {
    struct Case {
        const char* method;
        Http2Fields fields;
        bool last;
        Kind kind;
        std::uint64_t length;
    };
    const Case cases[] = {
        {"GET", {{":status", "200"}}, false, Kind::chunked, 0},
        {"GET", {{":status", "200"}}, true, Kind::length, 0},
        {"GET", {{":status", "200"}, {"content-length", "0"}}, true, Kind::length, 0},
        {"HEAD", {{":status", "200"}, {"content-length", "99"}}, true, Kind::none, 0},
        {"GET", {{":status", "304"}, {"content-length", "99"}}, true, Kind::none, 0},
        {"GET", {{":status", "204"}}, true, Kind::none, 0},
    };
    for (const Case& one : cases) {
        RecordedStream stream;
        Wire wire;
        const std::int32_t id = wire.send(stream, request(one.method));
        if (one.last)
            wire.peer.head(id, one.fields, true);
        else
            wire.peer.respond(id, one.fields, "body");
        wire.carry();
        CAPTURE(one.method);
        CAPTURE(stream.heads.at(0));
        CHECK(stream.ended);
        CHECK(stream.framing.kind == one.kind);
        CHECK(stream.framing.length == one.length);
    }
}

TEST_CASE("interim responses come before the final one, but not without end") {
    RecordedStream stream;
    Wire wire;
    const std::int32_t id = wire.send(stream);
    wire.peer.head(id, {{":status", "100"}}, false);
    wire.peer.head(id, {{":status", "103"}, {"link", "</a>"}}, false);
    wire.peer.respond(id, {{":status", "200"}}, "ok");
    wire.carry();
    CHECK(stream.heads == std::vector<std::string>{"100", "103 link=</a>", "200"});
    CHECK(stream.ended);

    RecordedStream flooded;
    const std::int32_t next = wire.send(flooded);
    for (unsigned i = 0; i <= limits::interim_responses; ++i)
        wire.peer.head(next, {{":status", "103"}}, false);
    wire.carry();
    CHECK(flooded.heads.size() == limits::interim_responses);
    REQUIRE(flooded.error);
    CHECK(flooded.error->kind == ErrorKind::upstream_malformed);
    CHECK(wire.peer.requests[next].reset == 1);  // PROTOCOL_ERROR
}

TEST_CASE("trailers") {
    RecordedStream stream;
    Wire wire;
    wire.peer.respond(wire.send(stream), {{":status", "200"}}, "body", {{"x-sum", "42"}});
    wire.carry();
    CHECK(stream.body == "body");
    CHECK(stream.trailers == "x-sum=42");
    CHECK(stream.heads.size() == 1);
    CHECK(stream.ended);
}

TEST_CASE("a request's body goes as fast as the peer's window lets it") {
    const std::string body(300'000, 'b');
    RecordedStream stream(body);
    Wire wire({}, {.automatic = false});
    const std::int32_t id = wire.send(stream, request_with("POST", body));
    Http2Peer::Request& got = wire.peer.requests[id];
    CHECK(got["content-length"] == "300000");
    CHECK(got.body.size() == 65'535);
    while (!got.ended) {
        wire.peer.consume(id, 65'535);
        const std::size_t before = got.body.size();
        wire.carry();
        REQUIRE(got.body.size() > before);
    }
    CHECK(got.body == body);
    wire.peer.respond(id, {{":status", "201"}}, "");
    wire.carry();
    CHECK(stream.ended);
}

TEST_CASE("an answer that comes before the whole request ends it") {
    const std::string body(300'000, 'b');
    RecordedStream stream(body);
    Wire wire({}, {.automatic = false});
    const std::int32_t id = wire.send(stream, request_with("POST", body));
    wire.peer.respond(id, {{":status", "413"}}, "too much");
    wire.carry();
    CHECK(stream.ended);
    CHECK(stream.body == "too much");
    CHECK(wire.peer.requests[id].reset == 8);  // CANCEL
    CHECK(stream.body_sent < body.size());
    RecordedStream next;
    wire.peer.respond(wire.send(next), {{":status", "200"}}, "ok");
    wire.carry();
    CHECK(next.ended);
}

TEST_CASE("automatic windows let any body through, manual ones wait for the owner") {
    const std::string body(200'000, 'x');
    SessionOptions options;
    options.stream_window = options.connection_window = 70'000;
    {
        RecordedStream stream;
        Wire wire(options);
        wire.peer.respond(wire.send(stream), {{":status", "200"}}, body);
        wire.carry();
        CHECK(stream.body == body);
        CHECK(stream.ended);
    }
    options.windows = SessionOptions::Windows::manual;
    RecordedStream stream;
    Wire wire(options);
    wire.peer.respond(wire.send(stream), {{":status", "200"}}, body);
    wire.carry();
    CHECK(stream.body.size() == 70'000);
    std::size_t consumed = 0;
    while (!stream.ended) {
        REQUIRE(stream.body.size() > consumed);
        wire.session.consumed(stream, stream.body.size() - consumed);
        consumed = stream.body.size();
        wire.carry();
    }
    CHECK(stream.body == body);
}

TEST_CASE("what arrives for a stream that nobody wants any more uses up no window") {
    const std::string body(60'000, 'x');
    SessionOptions options;
    options.stream_window = options.connection_window = 70'000;
    options.windows = SessionOptions::Windows::manual;
    Wire wire(options);
    for (int i = 0; i < 4; ++i) {
        RecordedStream dropped;
        wire.peer.respond(wire.send(dropped), {{":status", "200"}}, body);
        const std::string late = wire.peer.give();
        wire.session.reset(dropped);
        wire.session.feed(late);
        CHECK(dropped.body.empty());
    }
    RecordedStream wanted;
    // Windows are given back in halves, so as much is free at least.
    wire.peer.respond(wire.send(wanted), {{":status", "200"}}, std::string(30'000, 'x'));
    wire.carry();
    CHECK(wanted.ended);
}

TEST_CASE("no more streams than this side allows are opened") {
    SessionOptions options;
    options.streams = 2;
    RecordedStream one, two, three;
    Wire wire(options);
    const std::int32_t id = wire.send(one);
    wire.send(two);
    CHECK_FALSE(wire.session.submit(three, request()));
    CHECK_FALSE(three.open());
    wire.peer.respond(id, {{":status", "200"}}, "ok");
    wire.carry();
    CHECK(wire.session.submit(three, request()));
}

TEST_CASE("requests beyond what the peer allows wait their turn") {
    RecordedStream streams[3];
    Wire wire({}, {.streams = 2});
    CHECK_FALSE(wire.session.settled());
    wire.carry();
    CHECK(wire.session.settled());
    CHECK(wire.session.peer_streams() == 2);
    for (RecordedStream& stream : streams)
        REQUIRE(wire.session.submit(stream, request()));
    wire.carry();
    CHECK(wire.peer.requests.size() == 2);
    wire.peer.respond(wire.peer.requests.begin()->first, {{":status", "200"}}, "ok");
    wire.carry();
    CHECK(wire.peer.requests.size() == 3);
    wire.peer.settings(7);
    wire.carry();
    CHECK(wire.session.peer_streams() == 7);
}

TEST_CASE("bytes can be pulled in pieces of any size") {
    const auto sent = [](std::size_t piece) {
        RecordedStream stream("body of it");
        Wire wire;
        REQUIRE(wire.session.submit(stream, request_with("POST", stream.body_to_send)));
        std::string out, into(piece, '\0');
        while (const std::size_t size = wire.session.pull(into)) {
            REQUIRE(size <= piece);
            out.append(into, 0, size);
        }
        CHECK(stream.body_sent == stream.body_to_send.size());
        return out;
    };
    const std::string whole = sent(10'000);
    CHECK(whole.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    CHECK(sent(1) == whole);
    CHECK(sent(7) == whole);
}

TEST_CASE("bytes can be fed in pieces of any size") {
    RecordedStream stream;
    Wire wire;
    wire.peer.respond(wire.send(stream), {{":status", "200"}, {"server", "s"}}, "body",
                      {{"t", "1"}});
    for (const char byte : wire.peer.give())
        wire.session.feed({&byte, 1});
    CHECK(stream.heads == std::vector<std::string>{"200 server=s"});
    CHECK(stream.body == "body");
    CHECK(stream.trailers == "t=1");
}
