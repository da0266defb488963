// A ServerSession and our client's session, or frames that no client would send.
#include "core/http2/server_session.hpp"

#include <deque>

#include "tests/unit/core/http2/wire.hpp"

using namespace scrollgate;
using namespace scrollgate::http2;
using namespace scrollgate::test;
using Kind = BodyFraming::Kind;

namespace {

constexpr TimePoint start{};

struct Served final : ServerStream {
    void begin() { begin_request(head, arena, 1000); }

    void request_came(const Result<void>& result, std::string_view name) noexcept override {
        came = true;
        if (!result) refused = result.error().kind;
        protocol = name;
    }
    void body_came(std::string_view bytes) noexcept override { body += bytes; }
    void request_ended(const HeaderList* fields) noexcept override {
        ended = true;
        for (std::size_t i = 0; fields != nullptr && i < fields->size(); ++i)
            trailers.append((*fields)[i].name).append("=").append((*fields)[i].value);
    }
    void stream_ended(StreamEnd why) noexcept override { gone.push_back(why); }
    BodyPart fill_body(std::span<char> into) noexcept override {
        const std::size_t part = to_send.copy(into.data(), into.size());
        to_send.erase(0, part);
        return {part, last && to_send.empty(), last && to_send.empty() ? to_trail : nullptr};
    }

    RequestHead head;
    Arena arena;
    std::optional<ErrorKind> refused;
    std::string protocol, body, trailers, to_send;
    const HeaderList* to_trail = nullptr;
    bool came = false, ended = false, last = true;
    std::vector<StreamEnd> gone;
};

SessionOptions manual() {
    SessionOptions options;
    options.windows = SessionOptions::Windows::manual;
    return options;
}

struct Server final : ServerSession {
    Server() : ServerSession(manual(), start) {}
    ~Server() override { lost({}); }
    ServerStream* open_stream() noexcept override {
        if (streams.size() >= most) return nullptr;
        streams.emplace_back().begin();
        return &streams.back();
    }
    std::deque<Served> streams;
    std::size_t most = 1000;
};

/// Our client and our server, carried by hand.
struct Both {
    ~Both() { client.lost({}); }
    void carry() {
        for (bool more = true; more;) {
            const std::string there = drain(client), back = drain(server);
            if (!there.empty()) server.feed(there, start);
            if (!back.empty()) client.feed(back);
            more = !there.empty() || !back.empty();
        }
    }
    template <class Session>
    static std::string drain(Session& session) {
        std::string out;
        char piece[20'000];
        while (const std::size_t size = session.pull(piece))
            out.append(piece, size);
        return out;
    }
    /// Sends a request and carries; what the server has of it.
    Served& send(RecordedStream& stream, const RequestHead& head = request()) {
        REQUIRE(client.submit(stream, head));
        carry();
        return server.streams.back();
    }
    void answer(Served& to, const std::string& body, std::uint16_t status = 200) {
        to.to_send = body;
        REQUIRE(server.respond(to, status, fields, {Kind::length, body.size()}, !body.empty()));
        carry();
    }

    Server server;
    ClientSession client{SessionOptions{}};
    HeaderList fields;
};

std::string opening() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, "");
}

Http2Fields get(const std::string& path = "/") {
    return {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a.test"}};
}

std::string head_frame(std::int32_t stream, const Http2Fields& fields, std::uint8_t flags = 5) {
    return http2_frame(1, flags, stream, http2_literal_fields(fields));
}

}  // namespace

TEST_CASE("a request comes whole, and its answer goes back") {
    RecordedStream stream;
    Both both;
    RequestHead head = request("GET", "/a?b=c");
    head.fields.add("X-Own", "1");
    Served& got = both.send(stream, head);
    CHECK(got.came);
    CHECK_FALSE(got.refused);
    CHECK(got.ended);
    CHECK(got.head.method == Method::get);
    CHECK(got.head.version == Version::http2);
    CHECK(got.head.path == "/a");
    CHECK(got.head.query == "b=c");
    CHECK(got.head.authority == "a.test");
    CHECK(got.head.fields.find("x-own")->value == "1");
    CHECK_FALSE(got.head.body.has_body());
    both.answer(got, "hello");
    CHECK(stream.heads == std::vector<std::string>{"200 content-length=5"});
    CHECK(stream.body == "hello");
    CHECK(stream.ended);
    CHECK(got.gone == std::vector<StreamEnd>{StreamEnd::done});
    CHECK_FALSE(got.open());
}

TEST_CASE("a long body goes out in frames, however small the room is that is pulled into") {
    RecordedStream stream;
    Both both;
    Served& got = both.send(stream);
    const std::string body(200'000, 'b');
    got.to_send = body;
    REQUIRE(both.server.respond(got, 200, both.fields, {Kind::length, body.size()}, true));
    for (std::size_t size = 1; !stream.ended; size = size % 20'000 + 777) {
        std::vector<char> room(size);
        const std::size_t pulled = both.server.pull(room);
        both.client.feed({room.data(), pulled});
        if (pulled == 0) both.carry();
    }
    CHECK(stream.body == body);
}

TEST_CASE("a body that is not there yet waits for resume()") {
    RecordedStream stream;
    Both both;
    Served& got = both.send(stream);
    got.last = false;
    REQUIRE(both.server.respond(got, 200, both.fields, {Kind::chunked, 0}, true));
    both.carry();
    CHECK(stream.heads.size() == 1);
    got.to_send = "one";
    both.server.resume(got);
    both.carry();
    CHECK(stream.body == "one");
    HeaderList trailers;
    trailers.add("x-sum", "7");
    got.to_trail = &trailers;
    got.last = true;
    both.server.resume(got);
    both.carry();
    CHECK(stream.ended);
    CHECK(stream.trailers == "x-sum=7");
}

TEST_CASE("what was received is given back by consumed() alone") {
    RecordedStream stream(std::string(400'000, 'u'));
    Both both;
    Served& got = both.send(stream, request_with("POST", stream.body_to_send));
    CHECK(got.body.size() == limits::http2_stream_window);
    both.server.consumed(got, got.body.size());
    both.carry();
    CHECK(got.body.size() == 400'000);
    CHECK(got.ended);
}

TEST_CASE("finish() says how a response ended") {
    struct Case {
        ServerSession::Because why;
        bool retry;
    };
    for (const Case& one : {Case{ServerSession::Because::fault, false},
                            Case{ServerSession::Because::refused, true}}) {
        RecordedStream stream;
        Both both;
        Served& got = both.send(stream);
        both.server.finish(got, one.why);
        CHECK_FALSE(got.open());
        both.carry();
        REQUIRE(stream.error);
        CHECK(stream.error->retry_safe == one.retry);
        CHECK(got.gone.empty());
    }
}

TEST_CASE("a head that is all of an early answer goes out before the reset behind it") {
    RecordedStream stream;
    stream.body_to_send = std::string(400'000, 'x');  // more than the window
    Both both;
    Served& got = both.send(stream, request_with("POST", stream.body_to_send));
    REQUIRE_FALSE(got.ended);
    REQUIRE(both.server.respond(got, 204, both.fields, {}, false));
    both.server.finish(got, ServerSession::Because::done);  // nothing was pulled yet
    both.carry();
    CHECK(stream.heads == std::vector<std::string>{"204"});
    CHECK(stream.ended);
    CHECK_FALSE(stream.error);
    CHECK(both.client.open_streams() == 0);
}

TEST_CASE("a head that is too large is told by its type what it was") {
    RecordedStream stream;
    Both both;
    RequestHead head = request();
    const std::string large(20'000, 'x');
    head.fields.add("x-a", large);
    head.fields.add("x-b", large);
    head.fields.add("content-type", "application/grpc");
    Served& got = both.send(stream, head);
    CHECK(got.refused == ErrorKind::header_too_large);
    CHECK(got.head.fields.value(Field::content_type) == "application/grpc");
    CHECK(got.head.fields.find("x-b") == nullptr);
}

TEST_CASE("a client that resets is heard once") {
    RecordedStream stream;
    Both both;
    Served& got = both.send(stream);
    both.client.reset(stream);
    both.carry();
    CHECK(got.gone == std::vector<StreamEnd>{StreamEnd::reset});
}

TEST_CASE("streams are refused when nobody takes them") {
    RecordedStream stream;
    Both both;
    both.server.most = 0;
    REQUIRE(both.client.submit(stream, request()));
    both.carry();
    REQUIRE(stream.error);
    CHECK(stream.error->retry_safe);
}

TEST_CASE("end() takes no new streams and lets the others end") {
    RecordedStream first, second;
    Both both;
    Served& got = both.send(first);
    both.server.announce_end();
    both.carry();
    CHECK(both.client.going_away());
    both.server.end();
    both.carry();
    CHECK_FALSE(both.server.over());
    both.answer(got, "last");
    CHECK(first.body == "last");
    CHECK(both.server.over());
}

TEST_CASE("requests that our HTTP/1 would not take are refused by an answer") {
    struct Case {
        Http2Fields fields;
        ErrorKind kind;
    };
    const std::vector<Case> cases{
        {{{":method", "GET"}, {":scheme", "ftp"}, {":path", "/"}, {":authority", "a"}},
         ErrorKind::bad_request},
        {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@a"}},
         ErrorKind::bad_host},
        {{{":method", "GET"},
          {":scheme", "http"},
          {":path", "/"},
          {":authority", "a"},
          {"host", "b"}},
         ErrorKind::bad_host},
        {{{":method", "TRACE"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
         ErrorKind::method_refused},
        {{{":method", "CONNECT"}, {":authority", "a:80"}}, ErrorKind::method_refused},
        {get("/" + std::string(1000, 'p')), ErrorKind::uri_too_long},
        {get("/a#b"), ErrorKind::bad_request},
    };
    for (const Case& one : cases) {
        Server server;
        server.feed(opening() + head_frame(1, one.fields), start);
        REQUIRE(server.streams.size() == 1);
        CHECK(server.streams[0].came);
        REQUIRE(server.streams[0].refused);
        CHECK(*server.streams[0].refused == one.kind);
    }
}

TEST_CASE("crumbs of cookies become one field") {
    Server server;
    Http2Fields fields = get();
    fields.insert(fields.end(), {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}});
    server.feed(opening() + head_frame(1, fields), start);
    CHECK(server.streams[0].head.fields.count(Field::cookie) == 1);
    CHECK(server.streams[0].head.fields.value(Field::cookie) == "a=1; b=2");
}

TEST_CASE("trailers of a gRPC call may have underscores where others may not") {
    const Http2Fields trailers{
        {"user_id", "1"}, {"content_type", "2"}, {"x_real_ip", "3"}, {"x", "4"}};
    for (const bool call : {true, false}) {
        Server server;
        Http2Fields fields = get();
        fields[0].second = "POST";
        fields.emplace_back("content-type", call ? "application/grpc+proto" : "text/plain");
        server.feed(opening() + head_frame(1, fields, 4) + head_frame(1, trailers), start);
        CHECK(server.streams[0].trailers == (call ? "user_id=1x=4" : "x=4"));
    }
}

TEST_CASE("an extended CONNECT looks like an upgrade") {
    Server server;
    const Http2Fields fields{{":method", "CONNECT"},
                             {":protocol", "websocket"},
                             {":scheme", "http"},
                             {":path", "/chat"},
                             {":authority", "a.test"}};
    server.feed(opening() + head_frame(1, fields, 4) + http2_frame(0, 0, 1, "early"), start);
    const Served& got = server.streams[0];
    CHECK_FALSE(got.refused);
    CHECK(got.protocol == "websocket");
    CHECK(got.head.method == Method::get);
    CHECK_FALSE(got.head.body.has_body());
    CHECK(got.body == "early");
}

TEST_CASE("a section beyond the bounds is answered, and the connection goes on") {
    Server server;
    Http2Fields fields = get();
    for (int i = 0; i < 200; ++i)
        fields.emplace_back("x", "1");
    server.feed(opening() + head_frame(1, fields) + head_frame(3, get()), start);
    REQUIRE(server.streams.size() == 2);
    CHECK(server.streams[0].refused == ErrorKind::header_too_large);
    CHECK_FALSE(server.streams[1].refused);
}

TEST_CASE("a section far beyond the bounds is read no further, and its table still counts") {
    Server server;
    const std::string value(3900, 'v');
    std::string block = http2_literal_fields(get());
    block += std::string("\x40\x01x\x7f", 4) + "\xbd\x1d" + value + std::string(200, '\xbe');
    const std::string next = http2_literal_fields(get()) + "\xbe";
    server.feed(opening() + http2_frame(1, 5, 1, block) + http2_frame(1, 5, 3, next), start);
    REQUIRE(server.streams.size() == 2);
    CHECK_FALSE(server.streams[0].came);
    CHECK(server.streams[0].gone == std::vector<StreamEnd>{StreamEnd::malformed});
    CHECK(Both::drain(server).find(http2_frame(3, 0, 1, std::string("\0\0\0\x0b", 4))) !=
          std::string::npos);
    REQUIRE(server.streams[1].head.fields.find("x") != nullptr);
    CHECK(server.streams[1].head.fields.find("x")->value == value);
}

TEST_CASE("sections far beyond the bounds, again and again, are a flood") {
    Server server;
    const std::string value(3900, 'v');
    std::string bytes = opening();
    for (int i = 0; i < 500; ++i) {
        std::string block = http2_literal_fields(get());
        if (i == 0) block += std::string("\x40\x01x\x7f", 4) + "\xbd\x1d" + value;
        bytes += http2_frame(1, 5, 2 * i + 1, block + std::string(200, '\xbe'));
    }
    server.feed(bytes, start);
    CHECK(server.flood() == Flood::provoked);
}

TEST_CASE("streams that are broken off behind their heads are no flood") {
    Server server;
    server.feed(opening(), start);
    HeaderList fields;
    for (int i = 0; i < 600 && server.flood() == Flood::none; ++i) {
        server.feed(head_frame(2 * i + 1, get()), start);
        Served& one = server.streams.back();
        one.last = false;
        REQUIRE(server.respond(one, 200, fields, {Kind::chunked, 0}, true));
        static_cast<void>(Both::drain(server));
        server.feed(http2_frame(3, 0, 2 * i + 1, std::string("\0\0\0\x08", 4)), start);
        CHECK(one.gone.size() == 1);
    }
    CHECK(server.flood() == Flood::none);
    CHECK(server.streams.size() == 600);
    for (int i = 600; i < 900; ++i) {  // and those without an answer are
        server.feed(head_frame(2 * i + 1, get()), start);
        server.feed(http2_frame(3, 0, 2 * i + 1, std::string("\0\0\0\x08", 4)), start);
    }
    CHECK(server.flood() == Flood::reset);
}

TEST_CASE("a flood ends the session with ENHANCE_YOUR_CALM") {
    Server server;
    std::string flood = opening();
    for (int i = 0; i < 2000; ++i)
        flood += http2_frame(6, 0, 0, std::string(8, 'p'));
    server.feed(flood, start);
    CHECK(server.flood() == Flood::ping);
    const std::string said = Both::drain(server);
    CHECK(said.ends_with(std::string("\0\0\0\x0b", 4)));
    CHECK(server.over());
}
