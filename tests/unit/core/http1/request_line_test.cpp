// Request lines, accepted and refused, cut in every way.
#include <doctest/doctest.h>

#include "tests/unit/core/http1/cut.hpp"

using namespace scrollgate;
using namespace scrollgate::http1::testing;

namespace {

struct Accepted {
    const char* line;
    const char* host;
    const char* means;  ///< what text(RequestHead) shows behind the first bar
};

struct Refused {
    std::string line;
    ErrorKind error;
};

std::string with_fields(std::string_view line, std::string_view host) {
    return std::string(line) + "\r\nHost: " + std::string(host) + "\r\n\r\n";
}

using E = ErrorKind;
const Refused refused[] = {
    {"GET /", E::bad_request},
    {"GET / ", E::bad_request},
    {"GET", E::bad_request},
    {"", E::bad_request},
    {" GET / HTTP/1.1", E::bad_request},
    {"GET  / HTTP/1.1", E::bad_request},
    {"GET /  HTTP/1.1", E::bad_request},
    {"GET\t/ HTTP/1.1", E::bad_request},
    {"GET / HTTP/1.1 ", E::bad_request},
    {"GET / HTTP/1.1\r", E::bad_request},
    {"GET / HTTP/1.1\n", E::bad_request},
    {"GET /a b HTTP/1.1", E::bad_request},
    {"G@T / HTTP/1.1", E::bad_request},
    {"G\xc3\x84T / HTTP/1.1", E::bad_request},
    {"\x16\x03\x01\x02", E::bad_request},
    {"\nGET / HTTP/1.1", E::bad_request},
    {"\rGET / HTTP/1.1", E::bad_request},
    {"\r\n\r\nGET / HTTP/1.1", E::bad_request},
    {"GET /a#b HTTP/1.1", E::bad_request},
    {"GET /a\\b HTTP/1.1", E::bad_request},
    {"GET /\"a\" HTTP/1.1", E::bad_request},
    {"GET /<a HTTP/1.1", E::bad_request},
    {"GET /a> HTTP/1.1", E::bad_request},
    {"GET /\x7f HTTP/1.1", E::bad_request},
    {"GET /\x80 HTTP/1.1", E::bad_request},
    {"GET /\xc3\xa4 HTTP/1.1", E::bad_request},
    {"GET /\x01 HTTP/1.1", E::bad_request},
    {std::string("GET /\0 HTTP/1.1", 15), E::bad_request},
    {"GET /a\rb HTTP/1.1", E::bad_request},
    {"GET a HTTP/1.1", E::bad_request},
    {"GET a:80 HTTP/1.1", E::bad_request},
    {"GET ?a HTTP/1.1", E::bad_request},
    {"GET * HTTP/1.1", E::bad_request},
    {"OPTIONS ** HTTP/1.1", E::bad_request},
    {"GET ftp://a/ HTTP/1.1", E::bad_request},
    {"GET ://a/ HTTP/1.1", E::bad_request},
    {"GET http:/a/ HTTP/1.1", E::bad_request},
    {"GET http:///b HTTP/1.1", E::bad_request},
    {"GET http://u@a/ HTTP/1.1", E::bad_request},
    {"GET http://u:p@a/ HTTP/1.1", E::bad_request},
    {"GET http://a:x/ HTTP/1.1", E::bad_request},
    {"GET http://a:/ HTTP/1.1", E::bad_request},
    {"GET http://b/ HTTP/1.1", E::bad_host},
    {"GET http://a:80/ HTTP/1.1", E::bad_host},
    {"GET / http/1.1", E::bad_request},
    {"GET / HTTP/1.1x", E::bad_request},
    {"GET / HTTP/11", E::bad_request},
    {"GET / HTTP/1,1", E::bad_request},
    {"GET / HTTP/01.1", E::bad_request},
    {"GET / HTTP/1.10", E::bad_request},
    {"GET / HTTQ/1.1", E::bad_request},
    {"GET / HTTP/0.9", E::version_unsupported},
    {"GET / HTTP/1.2", E::version_unsupported},
    {"GET / HTTP/2.0", E::version_unsupported},
    {"GET / HTTP/9.9", E::version_unsupported},
    {"PRI * HTTP/2.0", E::version_unsupported},
    {"TRACE / HTTP/1.1", E::method_refused},
    {"CONNECT a:443 HTTP/1.1", E::method_refused},
    {"CONNECT [::1]:443 HTTP/1.1", E::method_refused},
    {"CONNECT a HTTP/1.1", E::bad_request},
    {"CONNECT / HTTP/1.1", E::bad_request},
    {"CONNECT http://a:443/ HTTP/1.1", E::bad_request},
    {"TRACE * HTTP/1.1", E::bad_request},
    {std::string(33, 'M') + " / HTTP/1.1", E::bad_request},
};

}  // namespace

TEST_CASE("every form of a target is split into its parts") {
    const Accepted cases[] = {
        {"GET / HTTP/1.1", "a", "origin  a /"},
        {"GET /a/b?c=d&e HTTP/1.1", "a:81", "origin  a:81 /a/b?c=d&e"},
        {"GET /? HTTP/1.1", "a", "origin  a /?"},
        {"GET //a//b/../c HTTP/1.1", "x", "origin  x //a//b/../c"},
        {"GET /a?b?c HTTP/1.1", "a", "origin  a /a?b?c"},
        {"GET /a|b^c{d}`e[f] HTTP/1.1", "a", "origin  a /a|b^c{d}`e[f]"},
        {"GET /%00%zz HTTP/1.1", "a", "origin  a /%00%zz"},
        {"GET /http://b/ HTTP/1.1", "a", "origin  a /http://b/"},
        {"GET http://a HTTP/1.1", "a", "absolute http a /"},
        {"GET http://a/ HTTP/1.1", "A", "absolute http a /"},
        {"GET HTTPS://a:8443/b?c HTTP/1.1", "a:8443", "absolute https a:8443 /b?c"},
        {"GET http://a?b HTTP/1.1", "a", "absolute http a /?b"},
        {"GET http://[::1]:80/b HTTP/1.1", "[::1]:80", "absolute http [::1]:80 /b"},
        {"OPTIONS * HTTP/1.1", "a", "asterisk  a *"},
        {"OPTIONS http://a HTTP/1.1", "a", "asterisk http a *"},
        {"OPTIONS http://a?b HTTP/1.1", "a", "absolute http a /?b"},
        {"OPTIONS /b HTTP/1.1", "a", "origin  a /b"},
        {"PURGE /b HTTP/1.1", "a", "origin  a /b"},
        {"get /b HTTP/1.1", "a", "origin  a /b"},
        {"!#$%&'*+-.^_`|~09az /b HTTP/1.1", "a", "origin  a /b"},
        {"GET /b HTTP/1.0", "a", "origin  a /b"},
        {"\r\nGET /b HTTP/1.1", "a", "origin  a /b"},
    };
    for (const Accepted& one : cases) {
        CAPTURE(one.line);
        const Outcome outcome = request(with_fields(one.line, one.host));
        REQUIRE_MESSAGE(outcome.complete(), outcome.detail);
        const std::string wanted = " | " + std::string(one.means) + " | none\n";
        CHECK_MESSAGE(outcome.head.find(wanted) != std::string::npos, outcome.head);
    }
}

TEST_CASE("lines that two parsers could read differently are refused") {
    for (const Refused& one : refused) {
        CAPTURE(one.line);
        const Outcome outcome = request(with_fields(one.line, "a"));
        REQUIRE_MESSAGE(outcome.failed(), outcome.head);
        CHECK_MESSAGE(outcome.error == one.error, outcome.detail);
        CHECK_FALSE(outcome.detail.empty());
    }
}

TEST_CASE("a method may have 32 characters") {
    CHECK(request(with_fields(std::string(32, 'M') + " / HTTP/1.1", "a")).complete());
}

TEST_CASE("a byte that cannot belong to a request fails before the line is complete") {
    const std::string_view starts[] = {
        "\x16",         "G@",   "GET  ", "GET /#", "GET / X", "GET / HTTP/1.1 ",
        "GET / HTTP/x", "\r\r", "\n",    "GET /\r"};
    for (const std::string_view start : starts) {
        CAPTURE(start);
        CHECK(request(start).error == ErrorKind::bad_request);
    }
}

TEST_CASE("an overlong target fails without its end, one of the full length passes") {
    const http1::HeadLimits limits{.bytes = 4096, .fields = 20, .uri = 64};
    const std::string longest = "/" + std::string(63, 'a');
    CHECK(request("GET " + longest, limits).status == http1::ParseResult::Status::need_more);
    CHECK(request(with_fields("GET " + longest + " HTTP/1.1", "a"), limits).complete());
    CHECK(request("GET " + longest + "a", limits).error == ErrorKind::uri_too_long);
    CHECK(request(with_fields("GET " + longest + "a HTTP/1.1", "a"), limits).error ==
          ErrorKind::uri_too_long);
}

TEST_CASE("the start line of a refused request is there for the log") {
    for (const std::size_t first : {std::size_t{0}, std::size_t{28}}) {
        const std::string bytes = "GET /a HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n";
        RequestHead head;
        std::size_t scanned = 0;
        const auto early = http1::parse_request_head(bytes.substr(0, first), usual, scanned, head);
        REQUIRE(early.status == http1::ParseResult::Status::need_more);
        const auto result = http1::parse_request_head(bytes, usual, scanned, head);
        CHECK(result.status == http1::ParseResult::Status::failed);
        CHECK(head.method_text == "GET");
        CHECK(head.target == "/a");
    }
}
