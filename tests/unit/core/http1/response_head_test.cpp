// Response heads, accepted and refused, cut in every way.
#include <doctest/doctest.h>

#include "tests/unit/core/http1/cut.hpp"

using namespace scrollgate;
using namespace scrollgate::http1::testing;

namespace {

std::string first_line(const Outcome& outcome) {
    return outcome.head.substr(0, outcome.head.find('\n'));
}

}  // namespace

TEST_CASE("a status line gives version, status and reason") {
    CHECK(first_line(response("HTTP/1.1 200 OK\r\n\r\n")) == "200 1.1 OK | until close");
    CHECK(first_line(response("HTTP/1.0 404 Not Found\r\n\r\n")) ==
          "404 1.0 Not Found | until close");
    CHECK(first_line(response("HTTP/1.1 200 \r\n\r\n")) == "200 1.1  | until close");
    CHECK(first_line(response("HTTP/1.1 200\r\n\r\n")) == "200 1.1  | until close");
    CHECK(first_line(response("HTTP/1.1 599 a\tb \xc3\xa4\r\n\r\n")) ==
          "599 1.1 a\tb \xc3\xa4 | until close");
    CHECK(first_line(
              response("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")) ==
          "103 1.1 Early Hints | none");
}

TEST_CASE("malformed status lines are refused with the byte that shows it") {
    const std::string cases[] = {
        "<html>",
        "hello",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/0.9 200",
        "HTTP/2 200 OK",
        "HTTP/1.2 200 OK",
        "http/1.1",
        "HTTP/1.1  200",
        "HTTP/1.1\t200",
        "HTTP/1.1 20 ",
        "HTTP/1.1 2000",
        "HTTP/1.1 099",
        "HTTP/1.1 000",
        "HTTP/1.1 600",
        "HTTP/1.1 999",
        "HTTP/1.1 -20",
        "HTTP/1.1 2x0",
        "HTTP/1.1 200\t",
        "HTTP/1.1 200\n",
        "HTTP/1.1 200OK",
        "HTTP/1.1 200 O\x01",
        "HTTP/1.1 200 O\n",
        "HTTP/1.1 200 O\rK",
        "HTTP/1.1 200 \x7f",
        "ICY 200 OK",
        "HTTP/1.1 200 OK\r\n\n",
        "HTTP/1.1 200 OK\r\n X",
    };
    for (const std::string& one : cases) {
        CAPTURE(one);
        const Outcome outcome = response(one);
        REQUIRE(outcome.failed());
        CHECK(outcome.error == ErrorKind::upstream_malformed);
        CHECK_FALSE(outcome.detail.empty());
    }
    CHECK(response(std::string("HTTP/1.1 200 \0\r\n\r\n", 17)).failed());
}

TEST_CASE("faults in the fields of a response are upstream_malformed") {
    const char* cases[] = {
        "A : b\r\n\r\n",
        "A: b\r\n c\r\n\r\n",
        "A: \x02\r\n\r\n",
        "A\r\n\r\n",
        ": b\r\n\r\n",
        "A: b\nC: d\r\n\r\n",
        "A: b\rC\r\n\r\n",
        "Content-Length: x\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n",
    };
    for (const char* one : cases) {
        CAPTURE(one);
        CHECK(response("HTTP/1.1 200 OK\r\n" + std::string(one)).error ==
              ErrorKind::upstream_malformed);
    }
}

TEST_CASE("limits of a response head are upstream_malformed") {
    const std::string head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    const auto limited = [&](std::size_t bytes, std::size_t fields) {
        return response(head, Method::get, {.bytes = bytes, .fields = fields, .uri = 0});
    };
    CHECK(limited(head.size(), 1).complete());
    CHECK(limited(head.size() - 1, 1).error == ErrorKind::upstream_malformed);
    CHECK(limited(head.size(), 0).error == ErrorKind::upstream_malformed);
    CHECK(response("HTTP/1.1 200 " + std::string(300, 'r'), Method::get,
                   {.bytes = 256, .fields = 1, .uri = 0})
              .error == ErrorKind::upstream_malformed);
}

TEST_CASE("the request's method decides about the body") {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    CHECK(first_line(response(head)) == "200 1.1 OK | length 5");
    CHECK(first_line(response(head, Method::head)) == "200 1.1 OK | none");
}
