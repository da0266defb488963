// What a client gets, by its version, its method and the status; and whether it may go on.
#include "proxy/http1/response_sink.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/net/line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

using Kind = BodyFraming::Kind;

detail::Detached write_one(BodySink& sink, BodyChunk chunk) {
    (void)co_await sink.write(chunk);
}
detail::Detached send_interim(ResponseSink& sink, const ResponseHead& head) {
    (void)co_await sink.interim(head);
}
detail::Detached send_upgrade(ResponseSink& sink, const ResponseHead& head) {
    (void)co_await sink.upgrade(head, "websocket");
}

struct Asked {
    Method method = Method::get;
    Version version = Version::http11;
    bool keep = true;
    /// Framing of a request body that has not been read.
    BodyFraming unread{};
};

/// A sink for the answer to one request.
struct Answer {
    explicit Answer(const Asked& asked = {}) {
        request.method = asked.method;
        request.version = asked.version;
        body.start(*line, asked.unread, {});
        sink.start(*line, request, body, asked.keep, 2s);
    }
    std::string send(std::uint16_t status, const BodyFraming& framing, std::string_view data) {
        head.status = status;
        head.body = framing;
        sink.head(head);
        write_one(sink, {data, true, nullptr});
        return line.peer->written();
    }
    Line line;
    RequestHead request;
    ResponseHead head;
    Http1BodySource body;
    Http1ResponseSink sink;
};

const BodyFraming five{Kind::length, 5};
const BodyFraming chunked{Kind::chunked, 0};
const BodyFraming until_close{Kind::until_close, 0};

}  // namespace

TEST_CASE("a length stays a length, and the connection goes on") {
    Answer answer;
    CHECK(answer.send(200, five, "hello") == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(answer.sink.reusable());
    CHECK(answer.line.peer->writes() == 1);
}

TEST_CASE("lines that are serialised already stand in front of the fields, in the same write") {
    Answer answer;
    answer.head.status = 200;
    answer.head.body = five;
    answer.head.fields.add(Field::age, "7");
    answer.sink.head(answer.head, "ETag: \"a\"\r\nX-B: c\r\n");
    write_one(answer.sink, {"hello", true, nullptr});
    CHECK(answer.line.peer->written() ==
          "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nX-B: c\r\nAge: 7\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(answer.line.peer->writes() == 1);
}

TEST_CASE("what has no length is chunked for 1.1, and ends with the connection for 1.0") {
    for (const BodyFraming& framing : {chunked, until_close}) {
        Answer now;
        CHECK(now.send(200, framing, "hello") ==
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        CHECK(now.sink.reusable());
        Answer old({.version = Version::http10});
        CHECK(old.send(200, framing, "hello") ==
              "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
        CHECK_FALSE(old.sink.reusable());
    }
}

TEST_CASE("a 1.0 client that asked for it is told that the connection stays") {
    Answer answer({.version = Version::http10});
    CHECK(answer.send(200, five, "hello") ==
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
    CHECK(answer.sink.reusable());
}

TEST_CASE("a connection that will close says so") {
    Answer asked({.keep = false});
    CHECK(asked.send(200, five, "hello").find("Connection: close\r\n") != std::string::npos);
    CHECK_FALSE(asked.sink.reusable());
    Answer told;
    told.sink.will_close();
    CHECK(told.send(200, five, "hello").find("Connection: close\r\n") != std::string::npos);
    CHECK_FALSE(told.sink.reusable());
}

TEST_CASE("an answer before the end of the request's body ends the connection") {
    Answer answer({.method = Method::post, .unread = five});
    CHECK(answer.send(403, five, "no no").find("Connection: close\r\n") != std::string::npos);
    CHECK_FALSE(answer.sink.reusable());
}

TEST_CASE("an answer to HEAD has the length and not the body") {
    Answer with({.method = Method::head});
    CHECK(with.send(200, five, "") == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    CHECK(with.sink.reusable());
    Answer listed({.method = Method::head});
    listed.head.fields.add(Field::content_length, "12345678901");
    CHECK(listed.send(200, {}, "") == "HTTP/1.1 200 OK\r\nContent-Length: 12345678901\r\n\r\n");
    Answer without({.method = Method::head});
    CHECK(without.send(200, {}, "") == "HTTP/1.1 200 OK\r\n\r\n");
    CHECK(without.sink.reusable());
}

TEST_CASE("204 has no framing at all, 304 has the length of what it stands for, 205 has none") {
    Answer no_content;
    no_content.head.fields.add(Field::content_length, "5");
    CHECK(no_content.send(204, {}, "") == "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(no_content.sink.reusable());
    Answer not_modified;
    not_modified.head.fields.add(Field::content_length, "5");
    CHECK(not_modified.send(304, {}, "") ==
          "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
    CHECK(not_modified.sink.reusable());
    Answer bare;
    CHECK(bare.send(304, {}, "") == "HTTP/1.1 304 Not Modified\r\n\r\n");
    Answer reset;
    CHECK(reset.send(205, {Kind::length, 0}, "") ==
          "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
    CHECK(reset.sink.reusable());
}

TEST_CASE("fields of this hop are written once, whatever the list holds") {
    Answer answer;
    answer.head.reason = "Fine";
    answer.head.fields.add("X-A", "1");
    answer.head.fields.add(Field::content_length, "999");
    answer.head.fields.add(Field::transfer_encoding, "gzip");
    CHECK(answer.send(200, five, "hello") ==
          "HTTP/1.1 200 Fine\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_CASE("a response that was not written whole lets nothing follow") {
    Answer open;
    open.head.status = 200;
    open.head.body = five;
    CHECK_FALSE(open.sink.committed());
    open.sink.head(open.head);
    CHECK_FALSE(open.sink.committed());  // nothing of it has left
    write_one(open.sink, {"hell", false, nullptr});
    CHECK(open.sink.committed());
    CHECK_FALSE(open.sink.reusable());
    open.sink.abort();
    CHECK(open.sink.aborted());
    CHECK_FALSE(open.sink.abort_by_reset());  // the missing byte tells
    Answer endless({.version = Version::http10});
    endless.head.status = 200;
    endless.head.body = until_close;
    endless.sink.head(endless.head);
    write_one(endless.sink, {"hell", false, nullptr});
    endless.sink.abort();
    CHECK(endless.sink.abort_by_reset());  // a FIN would look like the end
}

TEST_CASE("a head of which nothing has left gives way to another one") {
    Answer answer;
    answer.head.status = 200;
    answer.head.body = chunked;
    answer.sink.head(answer.head);
    CHECK_FALSE(answer.sink.committed());
    CHECK(answer.send(502, five, "sorry") ==
          "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry");
    CHECK(answer.sink.committed());
    CHECK(answer.sink.reusable());
}

TEST_CASE("interim answers go to 1.1 clients, before the final head only") {
    Answer answer;
    ResponseHead hints;
    hints.status = 103;
    hints.fields.add("Link", "</a>");
    send_interim(answer.sink, hints);
    CHECK(answer.line.peer->written() == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    CHECK_FALSE(answer.sink.committed());
    answer.send(200, five, "hello");
    const std::size_t before = answer.line.peer->written().size();
    send_interim(answer.sink, hints);
    CHECK(answer.line.peer->written().size() == before);
    Answer old({.version = Version::http10});
    send_interim(old.sink, hints);
    CHECK(old.line.peer->written().empty());
}

TEST_CASE("an upgrade names its protocol, and both ends carry bytes as they are from then on") {
    Answer answer;
    answer.head.status = 101;
    send_upgrade(answer.sink, answer.head);
    CHECK(answer.line.peer->written() ==
          "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    CHECK(answer.sink.committed());
    CHECK_FALSE(answer.body.ended());  // the client's bytes come through it
    write_one(answer.sink, {"raw", false, nullptr});
    CHECK(answer.line.peer->written().ends_with("\r\n\r\nraw"));
    CHECK_FALSE(answer.line.peer->saw_end());
    write_one(answer.sink, {"", true, nullptr});
    CHECK(answer.line.peer->saw_end());
    CHECK_FALSE(answer.sink.reusable());
}
