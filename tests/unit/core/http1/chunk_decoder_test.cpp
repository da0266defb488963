// Chunked bodies, accepted and refused, cut in every way.
#include "core/http1/chunk_decoder.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/limits.hpp"

using namespace scrollgate;
using http1::ChunkDecoder;

namespace {

struct Decoded {
    ChunkDecoder::Step::Kind end = ChunkDecoder::Step::Kind::need_more;
    std::string data;
    std::size_t consumed = 0;  ///< of a complete body
    std::string trailers;

    bool operator==(const Decoded&) const = default;
    [[nodiscard]] bool done() const { return end == ChunkDecoder::Step::Kind::done; }
    [[nodiscard]] bool failed() const { return end == ChunkDecoder::Step::Kind::failed; }
};

/// Everything a decoder makes of `bytes`, given in parts of `part` bytes after a first one.
Decoded decode(std::string_view bytes, std::size_t first, std::size_t part) {
    using Kind = ChunkDecoder::Step::Kind;
    ChunkDecoder decoder;
    Decoded out;
    std::size_t at = 0;
    for (std::size_t end = first;; end += part) {
        end = std::min(end, bytes.size());
        for (;;) {
            const std::vector<char> input(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(end));
            const ChunkDecoder::Step step = decoder.next({input.data(), input.size()});
            out.data += step.data;
            at += step.consumed;
            if (step.kind == Kind::failed) {
                CHECK(std::string_view(step.detail) != "");
                CHECK(decoder.next("0\r\n\r\n").kind == Kind::failed);
                return {Kind::failed, {}, 0, {}};
            }
            if (step.kind == Kind::done) {
                for (const HeaderField& field : decoder.trailers()) {
                    out.trailers.append(field.name).append("=").append(field.value).append(";");
                }
                CHECK(decoder.next("x").consumed == 0);
                out.end = Kind::done;
                out.consumed = at;
                return out;
            }
            if (step.kind == Kind::need_more) {
                CHECK(at == end);
                break;
            }
        }
        if (end == bytes.size()) return out;
    }
}

Decoded decode(std::string_view bytes) {
    const Decoded whole = decode(bytes, bytes.size(), 1);
    for (std::size_t cut = 0; cut < std::min<std::size_t>(bytes.size(), 600); ++cut) {
        if (decode(bytes, cut, bytes.size()) != whole) FAIL("cut at ", cut);
    }
    CHECK(decode(bytes, 1, 1) == whole);
    CHECK(decode(bytes, 3, 7) == whole);
    return whole;
}

}  // namespace

TEST_CASE("chunks are joined, and what follows the body is left alone") {
    const std::string bytes = "4\r\nWiki\r\n5\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\n\r\n";
    const Decoded body = decode(bytes + "GET / HTTP/1.1\r\n");
    CHECK(body.done());
    CHECK(body.data == "Wikipedia in\r\n\r\nchunks.");
    CHECK(body.consumed == bytes.size());
    CHECK(decode("0\r\n\r\n").done());
    CHECK(decode("0000000000000000\r\n\r\n").done());
    CHECK(decode("00A\r\n0123456789\r\n0\r\n\r\n").data == "0123456789");
    CHECK(decode("a\r\n0123456789\r\n00\r\n\r\n").data == "0123456789");
}

TEST_CASE("an incomplete body wants more") {
    const std::string bytes = "3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\n\r\n";
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        CHECK(decode(bytes.substr(0, size), size, 1).end == ChunkDecoder::Step::Kind::need_more);
    }
    CHECK(decode(bytes).done());
}

TEST_CASE("extensions are checked and dropped") {
    for (const char* line :
         {"3;a", "3;a=b", "3;a=\"\"", "3;a=\"b c;\\\"\\\\\t\xc3\xa4\";d;e=f", "3;a;b;c"}) {
        CAPTURE(line);
        const Decoded body = decode(std::string(line) + "\r\nabc\r\n0;z\r\n\r\n");
        CHECK(body.done());
        CHECK(body.data == "abc");
    }
    for (const char* line :
         {"3;",         "3;;a",         "3;=b",           "3;a=",         "3;a=b=c",
          "3;a=\"b",    "3;a=\"b\"c",   "3;a=\"b\"\"c\"", "3; a",         "3 ;a",
          "3;a =b",     "3;a= b",       "3;a=b ",         "3;a\"b\"",     "3;a=b\"c\"",
          "3;a=\"\n\"", "3;a=\"\\\n\"", "3;a=\"\r\n\"",   "3;a=\"\x01\"", "3;\n",
          "3;a\n",      "3;a=\x80",     "3;a=b\rc"}) {
        CAPTURE(line);
        CHECK(decode(std::string(line) + "\r\nabc\r\n0\r\n\r\n").failed());
    }
}

TEST_CASE("malformed sizes and line ends are refused") {
    for (const char* bytes : {"\r\n",
                              "\n",
                              "g\r\n",
                              "0x3\r\nabc",
                              "+3\r\nabc",
                              "-3\r\nabc",
                              " 3\r\nabc",
                              "3 \r\nabc",
                              "3\t\r\nabc",
                              "3_0\r\n",
                              "3\nabc",
                              "3\rabc",
                              "3\r\r\nabc",
                              "3\r\nabcd\r\n",
                              "3\r\nabc\n0\r\n",
                              "3\r\nabc0\r\n",
                              "3\r\nabc\r0\r\n",
                              "3\r\nabc\r\n\r\n",
                              "3,3\r\n",
                              "3.0\r\n",
                              "\"3\"\r\n",
                              "00000000000000003\r\nabc",
                              "11111111111111111\r\n",
                              "0\n\n",
                              "0\r\n\n",
                              "0\r\n\rx"}) {
        CAPTURE(bytes);
        CHECK(decode(bytes).failed());
    }
}

TEST_CASE("sizes that overflow when summed are refused") {
    CHECK(decode("FFFFFFFFFFFFFFFF\r\nabc").end == ChunkDecoder::Step::Kind::need_more);
    CHECK(decode("1\r\na\r\nFFFFFFFFFFFFFFFE\r\nabc").end == ChunkDecoder::Step::Kind::need_more);
    CHECK(decode("1\r\na\r\nFFFFFFFFFFFFFFFF\r\nabc").failed());
}

TEST_CASE("the size line and all extensions together are bounded") {
    const std::string longest = "1;" + std::string(limits::chunk_line - 2, 'e');
    CHECK(decode(longest + "\r\na\r\n0\r\n\r\n").done());
    CHECK(decode(longest + "e\r\na\r\n0\r\n\r\n").failed());
    CHECK(decode(longest + "ee").failed());
    CHECK(decode("1;a=\"" + std::string(limits::chunk_line, 'q')).failed());

    std::string many;
    std::uint64_t extensions = 0;
    const std::string one = "1;" + std::string(98, 'e') + "\r\na\r\n";  // 99 bytes and the CR
    while (extensions + 100 <= limits::chunk_overhead) {
        many += one;
        extensions += 100;
    }
    CHECK(decode(many + "0\r\n\r\n", many.size(), 9).done());
    CHECK(decode(many + one, many.size(), 9).failed());
}

TEST_CASE("trailers are kept when they may be, and bounded") {
    const Decoded body = decode("1\r\na\r\n0\r\nX-Sum:  1 \r\nServer-Timing: t\r\n\r\nrest");
    CHECK(body.done());
    CHECK(body.trailers == "X-Sum=1;Server-Timing=t;");
    for (const char* name : {"Host",
                             "Content-Length",
                             "Transfer-Encoding",
                             "Content-Type",
                             "Content-Range",
                             "Content-Foo",
                             "Connection",
                             "Keep-Alive",
                             "Trailer",
                             "TE",
                             "Upgrade",
                             "Set-Cookie",
                             "Cookie",
                             "Authorization",
                             "WWW-Authenticate",
                             "Proxy-Authorization",
                             "Proxy-Foo",
                             "Cache-Control",
                             "Expires",
                             "Age",
                             "Vary",
                             "ETag",
                             "Forwarded",
                             "X-Forwarded-For",
                             "X-Forwarded-Port",
                             "Via",
                             "X-Real-IP",
                             "X-Request-Id",
                             "Expect",
                             "Range",
                             "If-Match",
                             "Max-Forwards",
                             "Location",
                             "Date",
                             "X_Sum",
                             "Access-Control-Allow-Origin",
                             "X-Client-Cert-Subject",
                             "X-HTTP-Method-Override"}) {
        CAPTURE(name);
        const Decoded one = decode("0\r\n" + std::string(name) + ": v\r\nX-Sum: 1\r\n\r\n");
        CHECK(one.done());
        CHECK(one.trailers == "X-Sum=1;");
    }
    for (const char* bad : {"X : y\r\n\r\n", " X: y\r\n\r\n", "X: y\r\n z\r\n\r\n", "X\r\n\r\n",
                            ": y\r\n\r\n", "X: \x01\r\n\r\n", "X: y\n\n", "X: y\r\n\n"}) {
        CAPTURE(bad);
        CHECK(decode("0\r\n" + std::string(bad)).failed());
    }
    std::string fields = "0\r\n";
    for (std::size_t i = 0; i < limits::trailers; ++i)
        fields += "X: y\r\n";
    CHECK(decode(fields + "\r\n").done());
    CHECK(decode(fields + "X: y\r\n\r\n").failed());
    const std::string longest = "X: " + std::string(limits::trailer_bytes - 7, 'v') + "\r\n\r\n";
    CHECK(decode("0\r\n" + longest, 3, 4096).done());
    CHECK(decode("0\r\nX" + longest, 3, 4096).failed());
}

TEST_CASE("a decoder that is reset takes another body") {
    ChunkDecoder decoder;
    CHECK(decoder.next("0\r\nX: y\r\n\r\n").kind == ChunkDecoder::Step::Kind::done);
    CHECK(decoder.trailers().size() == 1);
    decoder.reset();
    CHECK(decoder.trailers().empty());
    CHECK(decoder.next("z").kind == ChunkDecoder::Step::Kind::failed);
    decoder.reset();
    const auto step = decoder.next("2\r\nab");
    CHECK(step.kind == ChunkDecoder::Step::Kind::data);
    CHECK(step.data == "ab");
}
