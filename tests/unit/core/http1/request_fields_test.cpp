// Field sections, Host, framing and limits of requests, cut in every way.
#include <doctest/doctest.h>

#include "tests/unit/core/http1/cut.hpp"

using namespace scrollgate;
using namespace scrollgate::http1::testing;

namespace {

struct Refused {
    std::string fields;
    ErrorKind error;
};

const std::string line = "POST /a HTTP/1.1\r\n";
const std::string host = "Host: a\r\n";

}  // namespace

TEST_CASE("fields come in order, without the white space around their values") {
    const std::string head = line + host + "Accept:\t  a,  b\t \r\nx-empty:\r\nX-Blank:   \r\n" +
                             "X-Text: \"q\" \xc3\xa4\tz\r\n~!: v:w\r\n\r\n";
    const Outcome outcome = request(head + "rest");
    REQUIRE(outcome.complete());
    CHECK(outcome.head ==
          "POST /a 1.1 | origin  a /a | none\nHost=a\nAccept=a,  b\nx-empty=\n"
          "X-Blank=\nX-Text=\"q\" \xc3\xa4\tz\n~!=v:w");
    CHECK(outcome.consumed == head.size());
}

TEST_CASE("malformed field lines are refused") {
    const std::string cases[] = {
        "Name : v\r\n\r\n",
        "Name\t: v\r\n\r\n",
        " Name: v\r\n\r\n",
        "\tName: v\r\n\r\n",
        "Name: v\r\n folded\r\n\r\n",
        "Name: v\r\n\tfolded\r\n\r\n",
        "Content-Length: 1\r\n 0\r\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n\r\n",
        "Name: v\r\n \r\n\r\n",
        "Name v\r\n\r\n",
        "Name\r\n\r\n",
        ": v\r\n\r\n",
        "N@me: v\r\n\r\n",
        "N(me: v\r\n\r\n",
        "N\xc3\xa4me: v\r\n\r\n",
        "Na me: v\r\n\r\n",
        std::string("N\0me: v\r\n\r\n", 11),
        std::string("Name: \0v\r\n\r\n", 12),
        "Name: \x01\r\n\r\n",
        "Name: \x0bv\r\n\r\n",
        "Name: \x7f\r\n\r\n",
        "Name: a\rb\r\n\r\n",
        "Name: a\nb: c\r\n\r\n",
        "Name: v\n\r\n",
        "Name: v\r\r\n\r\n",
        "Name: v\r\n\n",
        "Name: v\r\n\rx",
        "\nName: v\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n",
        "Transfer\r-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\rX\r\n\r\n",
    };
    for (const std::string& one : cases) {
        CAPTURE(one);
        const Outcome outcome = request(line + host + one);
        REQUIRE_MESSAGE(outcome.failed(), outcome.head);
        CHECK_MESSAGE(outcome.error == ErrorKind::bad_request, outcome.detail);
        CHECK_FALSE(outcome.detail.empty());
    }
    CHECK(request("POST /a HTTP/1.1\r\n Host: a\r\n\r\n").error == ErrorKind::bad_request);
}

TEST_CASE("Host is there once and well-formed") {
    const Refused cases[] = {
        {"", ErrorKind::bad_host},
        {"Host: a\r\nHost: a\r\n", ErrorKind::bad_host},
        {"Host: a\r\nhost: b\r\n", ErrorKind::bad_host},
        {"Host:\r\n", ErrorKind::bad_host},
        {"Host: a, b\r\n", ErrorKind::bad_host},
        {"Host: a b\r\n", ErrorKind::bad_host},
        {"Host: u@a\r\n", ErrorKind::bad_host},
        {"Host: a/b\r\n", ErrorKind::bad_host},
        {"Host: a?b\r\n", ErrorKind::bad_host},
        {"Host: http://a\r\n", ErrorKind::bad_host},
        {"Host: a:80:90\r\n", ErrorKind::bad_host},
        {"Host: \"a\"\r\n", ErrorKind::bad_host},
    };
    for (const Refused& one : cases) {
        CAPTURE(one.fields);
        CHECK(request(line + one.fields + "\r\n").error == one.error);
    }
    CHECK(request("GET / HTTP/1.0\r\n\r\n").complete());
    CHECK(request("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").error == ErrorKind::bad_host);
    CHECK(request("GET http://a/ HTTP/1.0\r\n\r\n").complete());
    CHECK(request("GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n").error == ErrorKind::bad_host);
    CHECK(request("GET http://a/ HTTP/1.1\r\n\r\n").error == ErrorKind::bad_host);
}

TEST_CASE("framing of the body stands in the head") {
    const auto framed = [](const std::string& fields) {
        const Outcome outcome = request(line + host + fields + "\r\n");
        const std::size_t bar = outcome.head.find(" | ", outcome.head.find(" | ") + 3);
        return outcome.failed() ? std::string(facts(outcome.error).reason)
                                : outcome.head.substr(bar + 3, outcome.head.find('\n') - bar - 3);
    };
    CHECK(framed("") == "none");
    CHECK(framed("Content-Length: 0\r\n") == "length 0");
    CHECK(framed("content-length:  12 \r\n") == "length 12");
    CHECK(framed("Transfer-Encoding: Chunked\r\n") == "chunked");
    CHECK(framed("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") == "bad_framing");
    CHECK(framed("Transfer-Encoding: gzip, chunked\r\n") == "coding_unknown");
}

TEST_CASE("a head over the limit fails as soon as the limit is reached without its end") {
    const std::string head = line + host + "A: b\r\n\r\n";
    CHECK(request(head, {.bytes = head.size(), .fields = 9, .uri = 99}).complete());
    CHECK(request(head + "more", {.bytes = head.size(), .fields = 9, .uri = 99}).complete());
    for (std::size_t bytes = 1; bytes < head.size(); ++bytes) {
        CAPTURE(bytes);
        CHECK(request(head.substr(0, bytes), {.bytes = bytes, .fields = 9, .uri = 99}).error ==
              ErrorKind::header_too_large);
        CHECK(request(head, {.bytes = bytes, .fields = 9, .uri = 99}).error ==
              ErrorKind::header_too_large);
    }
}

TEST_CASE("a field beyond the limit fails with its first byte") {
    const http1::HeadLimits limits{.bytes = 4096, .fields = 3, .uri = 99};
    CHECK(request(line + host + "A: b\r\nC: d\r\n\r\n", limits).complete());
    CHECK(request(line + host + "A: b\r\nC: d\r\nE", limits).error == ErrorKind::header_too_large);
    CHECK(request(line + host + "A: b\r\nC: d\r\n@", limits).error == ErrorKind::header_too_large);
}

TEST_CASE("a Connection field of very many options is refused") {
    std::string options = "a";
    for (int i = 1; i < 32; ++i)
        options += ",a";
    CHECK(request(line + host + "Connection: " + options + "\r\n\r\n").complete());
    CHECK(request(line + host + "Connection: " + options + "\r\nConnection: b\r\n\r\n").error ==
          ErrorKind::header_too_large);
}

TEST_CASE("a long head in one-byte steps is accepted with the fields of the whole") {
    std::string head = line + host;
    for (int i = 0; i < 15; ++i)
        head += "X-Field-" + std::to_string(i) + ": " + std::string(40, 'v') + "\r\n";
    const Outcome outcome = request(head + "\r\n");
    REQUIRE(outcome.complete());
    CHECK(outcome.consumed == head.size() + 2);
}
