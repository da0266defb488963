// Bodies of every framing, cut in every way, with every way of going wrong.
#include "proxy/http1/body_source.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/net/line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

using Kind = BodyFraming::Kind;

struct Got {
    std::string data, trailers;
    std::size_t pulls = 0;
    bool end = false;
    std::optional<Error> error;
};

detail::Detached pull_all(BodySource& body, Got& got) {
    while (!got.end && !got.error) {
        const Result<BodyChunk> chunk = co_await body.pull();
        ++got.pulls;
        if (!chunk) {
            got.error = chunk.error();
            break;
        }
        CHECK((chunk->end || !chunk->data.empty()));  // at least one byte, or the end
        got.data += chunk->data;
        got.end = chunk->end;
        if (chunk->trailers == nullptr) continue;
        CHECK(chunk->end);
        for (const HeaderField& field : *chunk->trailers)
            got.trailers.append(field.name).append("=").append(field.value).append(";");
    }
}

const Http1BodySource::Rules rules{.stall = 3s,
                                   .stalled = ErrorKind::body_timeout,
                                   .cut_short = ErrorKind::client_closed,
                                   .malformed = ErrorKind::bad_chunk};

/// A body that arrives in these pieces, then perhaps a FIN.
Got read_pieces(const BodyFraming& framing, const std::vector<std::string>& pieces, bool fin,
                std::string* beyond = nullptr, const Http1BodySource::Rules& by = rules) {
    Line line;
    Http1BodySource body;
    Got got;
    body.start(*line, framing, by);
    pull_all(body, got);
    for (const std::string& piece : pieces) {
        line.peer->send(piece);
        line.settle();
    }
    if (fin) line.peer->finish();
    line.settle();
    if (beyond != nullptr) *beyond = line->received();
    if (!got.end && !got.error) {
        line->fail(ErrorKind::cancelled);
        line.settle();
        CHECK(got.error.has_value());
    } else if (got.end) {
        CHECK(body.ended());
        CHECK(body.bytes() == got.data.size());
    }
    return got;
}

/// Whole, in every pair of pieces and byte by byte.
template <class Check>
void in_every_way(const std::string& bytes, Check check) {
    check(std::vector<std::string>{bytes});
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
        check(std::vector<std::string>{bytes.substr(0, cut), bytes.substr(cut)});
    std::vector<std::string> each;
    for (const char c : bytes)
        each.emplace_back(1, c);
    check(each);
}

const BodyFraming chunked{Kind::chunked, 0};

}  // namespace

TEST_CASE("no body, and one of length 0, has ended before the first pull") {
    for (const BodyFraming framing : {BodyFraming{}, BodyFraming{Kind::length, 0}}) {
        Line line;
        Http1BodySource body;
        body.start(*line, framing, rules);
        CHECK(body.ended());
        CHECK(body.ready());
        CHECK_FALSE(line->reading());
    }
}

TEST_CASE("a body with a length ends there, and what follows stays") {
    in_every_way("0123456789next", [](const std::vector<std::string>& pieces) {
        std::string beyond;
        const Got got = read_pieces({Kind::length, 10}, pieces, false, &beyond);
        CHECK(got.data == "0123456789");
        CHECK(got.end);
        CHECK(std::string("next").starts_with(beyond));
    });
}

TEST_CASE("a body with a length that came with its head needs no waiting") {
    Line line;
    line->arm();
    line.peer->send("0123456789");
    line.settle();
    Http1BodySource body;
    body.start(*line, {Kind::length, 10}, rules);
    CHECK(body.ready());
    Task<Result<BodyChunk>> pull = body.pull();
    CHECK(pull.await_ready());
    const Result<BodyChunk> chunk = pull.await_resume();
    CHECK(chunk->data == "0123456789");
    CHECK(chunk->end);
}

TEST_CASE("a body with a length that ends early is cut short") {
    const Got got = read_pieces({Kind::length, 10}, {"01234", "5678"}, true);
    CHECK(got.data == "012345678");
    REQUIRE(got.error);
    CHECK(got.error->kind == ErrorKind::client_closed);
}

TEST_CASE("chunks become their data, their end and their trailers, however they come") {
    struct Case {
        const char *bytes, *data, *trailers;
    };
    const Case cases[] = {
        {"0\r\n\r\n", "", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
        {"5\r\nhello\r\n06\r\n world\r\n0\r\n\r\n", "hello world", ""},
        {"5\r\nhello\r\n0a\r\n0123456789\r\n0\r\n\r\n", "hello0123456789", ""},
        {"1\r\na\r\n01\r\nb\r\n001\r\nc\r\n0000\r\n\r\n", "abc", ""},
        {"3;a=b\r\nabc\r\n0;c\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", "abc", "X-Sum=1;X-More=2;"},
        {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""},
        {"3\r\n\r\n0\r\n0\r\n\r\n", "\r\n0", ""},
    };
    for (const Case& one : cases) {
        in_every_way(one.bytes, [&](const std::vector<std::string>& pieces) {
            INFO(std::string(one.bytes), " in ", pieces.size(), ", first ", pieces[0]);
            const Got got = read_pieces(chunked, pieces, false);
            CHECK(got.end);
            CHECK(got.data == one.data);
            CHECK(got.trailers == one.trailers);
        });
    }
}

TEST_CASE("a small chunk and the end behind it come in one pull") {
    CHECK(read_pieces(chunked, {"5\r\nhello\r\n0\r\n\r\n"}, false).pulls == 1);
}

TEST_CASE("bytes behind the last chunk stay for the next message") {
    std::string beyond;
    const Got got = read_pieces(chunked, {"1\r\na\r\n0\r\n\r\nGET /"}, false, &beyond);
    CHECK(got.end);
    CHECK(beyond == "GET /");
}

TEST_CASE("malformed chunks and chunks that end early fail, however they come") {
    for (const char* const bytes :
         {"x\r\n", "5\r\nhelloX\r\n", "5\r\nhello\r\n0\r\nno colon\r\n\r\n", "-1\r\n",
          "1\r\na\r\n0x\r\n"}) {
        in_every_way(bytes, [&](const std::vector<std::string>& pieces) {
            INFO(std::string(bytes));
            const Got got = read_pieces(chunked, pieces, false);
            REQUIRE(got.error);
            CHECK(got.error->kind == ErrorKind::bad_chunk);
        });
    }
    const std::string whole = "5\r\nhello\r\n0\r\n\r\n";
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        const Got got = read_pieces(chunked, {whole.substr(0, cut)}, true);
        REQUIRE(got.error);
        CHECK(got.error->kind == ErrorKind::client_closed);
        CHECK(std::string("hello").starts_with(got.data));
    }
}

TEST_CASE("a chunked body beyond its limit fails, one of just that size does not") {
    Http1BodySource::Rules limited = rules;
    limited.most = 10;
    const std::string exact = "5\r\n01234\r\n05\r\n56789\r\n0\r\n\r\n";
    in_every_way(exact, [&](const std::vector<std::string>& pieces) {
        CHECK(read_pieces(chunked, pieces, false, nullptr, limited).data == "0123456789");
    });
    const std::string more = "5\r\n01234\r\n06\r\n56789x\r\n0\r\n\r\n";
    in_every_way(more, [&](const std::vector<std::string>& pieces) {
        const Got got = read_pieces(chunked, pieces, false, nullptr, limited);
        REQUIRE(got.error);
        CHECK(got.error->kind == ErrorKind::body_too_large);
        CHECK(got.data.size() <= 10);
    });
}

TEST_CASE("a body until close ends with a FIN, and is cut short by a reset") {
    const BodyFraming framing{Kind::until_close, 0};
    CHECK(read_pieces(framing, {}, true).end);
    in_every_way("some bytes", [&](const std::vector<std::string>& pieces) {
        const Got got = read_pieces(framing, pieces, true);
        CHECK(got.end);
        CHECK(got.data == "some bytes");
    });
    Line line;
    Http1BodySource body;
    Got got;
    body.start(*line, framing, rules);
    pull_all(body, got);
    line.peer->send("some");
    line.settle();
    line.peer->reset();
    line.settle();
    REQUIRE(got.error);
    CHECK(got.error->kind == ErrorKind::client_closed);
    CHECK(got.error->cause.failed());
}

TEST_CASE("every byte gives a stalled body new time, but not beyond its hard end") {
    for (const bool hard : {false, true}) {
        Line line;
        Http1BodySource body;
        Got got;
        body.start(*line, {Kind::length, 100}, rules);
        if (hard) body.bound(3s, line.clock.now() + 8s);
        pull_all(body, got);
        for (int i = 0; i < 3; ++i) {
            line.pass(2500ms);
            CHECK_FALSE(got.error);
            line.peer->send("x");
            line.settle();
        }
        line.pass(hard ? 600ms : 2900ms);
        CHECK(got.error.has_value() == hard);
        line.pass(200ms);
        REQUIRE(got.error);
        CHECK(got.error->kind == (hard ? ErrorKind::request_timeout : ErrorKind::body_timeout));
        CHECK(got.data == "xxx");
    }
}

TEST_CASE("time between two pulls does not count against the peer") {
    Line line;
    Http1BodySource body;
    body.start(*line, {Kind::length, 2}, rules);
    line->arm();
    line.peer->send("a");
    line.settle();
    CHECK(body.pull().await_resume()->data == "a");
    line.pass(1h);
    CHECK_FALSE(line->failure().has_value());
    Got got;
    pull_all(body, got);
    line.pass(2s);
    line.peer->send("b");
    line.settle();
    CHECK(got.end);
}

TEST_CASE("an interrupted pull ends with cancelled and the connection lives") {
    Line line;
    Http1BodySource body;
    Got got;
    body.start(*line, {Kind::length, 10}, rules);
    pull_all(body, got);
    body.interrupt();
    line.settle();
    REQUIRE(got.error);
    CHECK(got.error->kind == ErrorKind::cancelled);
    CHECK(line->is_open());
    line.pass(1h);  // and no deadline is left
    CHECK_FALSE(line->failure().has_value());
}

TEST_CASE("without a free buffer a pull fails with overloaded") {
    Line line;
    std::vector<BufferLease> all;
    while (BufferLease lease = line.loop->small_buffers().lease())
        all.push_back(std::move(lease));
    Http1BodySource body;
    Got got;
    body.start(*line, {Kind::length, 10}, rules);
    pull_all(body, got);
    REQUIRE(got.error);
    CHECK(got.error->kind == ErrorKind::overloaded);
}

TEST_CASE("a long body goes through a large buffer, which goes back at its end") {
    Line line;
    Http1BodySource body;
    Got got;
    const std::string bytes(500'000, 'x');
    body.start(*line, {Kind::length, bytes.size()}, rules);
    pull_all(body, got);
    CHECK(line.loop->bulk_buffers().leased() == 0);  // the first read had begun... in the small one
    line.peer->send(bytes);
    line.settle();
    CHECK(got.end);
    CHECK(got.data == bytes);
    CHECK(got.pulls < 10);
    line->arm();  // idle again
    CHECK(line.loop->bulk_buffers().leased() == 0);
    CHECK(line.loop->small_buffers().leased() == 1);
}

TEST_CASE("an interrupt that comes while nobody waits ends the next wait") {
    Line line;
    Http1BodySource body;
    body.start(*line, {Kind::length, 10}, rules);
    body.interrupt();
    Got got;
    pull_all(body, got);
    line.settle();
    REQUIRE(got.error);
    CHECK(got.error->kind == ErrorKind::cancelled);
    body.resume();
    Got again;
    pull_all(body, again);
    line.peer->send("0123456789");
    line.settle();
    CHECK(again.data == "0123456789");
    CHECK(again.end);
}
