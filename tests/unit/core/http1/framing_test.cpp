// The framing rules one by one, and what Connection says about the connection.
#include "core/http1/framing.hpp"

#include <initializer_list>
#include <string>
#include <utility>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

using Fields = std::initializer_list<std::pair<const char*, const char*>>;

void fill(HeaderList& list, Fields fields) {
    for (const auto& [name, value] : fields)
        list.add(name, value);
}

std::string text(const Result<BodyFraming>& result) {
    if (!result) {
        CHECK(std::string_view(result.error().detail) != "");
        return std::string(result.error().reason());
    }
    switch (result->kind) {
        case BodyFraming::Kind::none:
            return "none";
        case BodyFraming::Kind::length:
            return "length " + std::to_string(result->length);
        case BodyFraming::Kind::chunked:
            return "chunked";
        case BodyFraming::Kind::until_close:
            return "until close";
    }
    return "?";
}

std::string of_request(Fields fields, Version version = Version::http11) {
    RequestHead head;
    head.version = version;
    fill(head.fields, fields);
    return text(http1::request_framing(head));
}

std::string of_response(std::uint16_t status, Fields fields, Method method = Method::get,
                        Version version = Version::http11) {
    ResponseHead head;
    head.status = status;
    head.version = version;
    fill(head.fields, fields);
    return text(http1::response_framing(head, method));
}

bool closes(Version version, Fields fields) {
    HeaderList list;
    fill(list, fields);
    return http1::wants_close(version, list);
}

constexpr const char* cl = "Content-Length";
constexpr const char* te = "Transfer-Encoding";

}  // namespace

TEST_CASE("a length is 1 to 18 digits without leading zero") {
    CHECK(of_request({{cl, "0"}}) == "length 0");
    CHECK(of_request({{cl, "42"}}) == "length 42");
    CHECK(of_request({{cl, "999999999999999999"}}) == "length 999999999999999999");
    for (const char* value : {"",
                              "+1",
                              "-1",
                              " 1",
                              "1 ",
                              "1,1",
                              "1, 1",
                              "3 3",
                              "00",
                              "003",
                              "0x10",
                              "1e3",
                              "1.0",
                              "1_0",
                              "1000000000000000000",
                              "9223372036854775808",
                              "99999999999999999999",
                              "\xb2",
                              "1;a",
                              "\"1\"",
                              "chunked"}) {
        CAPTURE(value);
        CHECK(of_request({{cl, value}}) == "bad_framing");
        CHECK(of_response(200, {{cl, value}}) == "upstream_malformed");
    }
}

TEST_CASE("several lengths are refused, even equal ones") {
    CHECK(of_request({{cl, "3"}, {cl, "3"}}) == "bad_framing");
    CHECK(of_request({{cl, "3"}, {"content-length", "4"}}) == "bad_framing");
    CHECK(of_response(200, {{cl, "3"}, {cl, "3"}}) == "upstream_malformed");
    CHECK(of_response(304, {{cl, "3"}, {cl, "3"}}) == "upstream_malformed");
    CHECK(of_response(200, {{cl, "3"}, {cl, "4"}}, Method::head) == "upstream_malformed");
}

TEST_CASE("only one plain chunked frames a request") {
    CHECK(of_request({{te, "chunked"}}) == "chunked");
    CHECK(of_request({{te, "CHUNKED"}}) == "chunked");
    for (const char* value : {"identity", "gzip", "xchunked", "chunkedx", "gzip, chunked",
                              "identity,chunked", "gzip,deflate"}) {
        CAPTURE(value);
        CHECK(of_request({{te, value}}) == "coding_unknown");
    }
    for (const char* value : {"", ",", "chunked,", ",chunked", "chunked, chunked", "chunked, gzip",
                              "chunked, identity", "chunked;q=1", "\"chunked\"", "chunked chunked",
                              "gzip;q=1", "gzip, chunked;a", "chun\x80ked", "'chunked' x"}) {
        CAPTURE(value);
        CHECK(of_request({{te, value}}) == "bad_framing");
    }
    CHECK(of_request({{te, "chunked"}, {te, "chunked"}}) == "bad_framing");
    CHECK(of_request({{te, "chunked"}, {te, "gzip"}}) == "bad_framing");
    CHECK(of_request({{te, "gzip"}, {te, "chunked"}}) == "coding_unknown");
    CHECK(of_request({{te, "chunked"}, {te, ""}}) == "bad_framing");
}

TEST_CASE("a transfer coding stands neither beside a length nor in HTTP/1.0") {
    CHECK(of_request({{te, "chunked"}, {cl, "3"}}) == "bad_framing");
    CHECK(of_request({{cl, "3"}, {te, "identity"}}) == "bad_framing");
    CHECK(of_request({{te, "chunked"}}, Version::http10) == "bad_framing");
    CHECK(of_response(200, {{te, "chunked"}, {cl, "3"}}) == "upstream_malformed");
    CHECK(of_response(200, {{te, "chunked"}, {cl, "3"}}, Method::head) == "upstream_malformed");
    CHECK(of_response(200, {{te, "chunked"}}, Method::get, Version::http10) ==
          "upstream_malformed");
}

TEST_CASE("a response is chunked, measured, or ends with its connection") {
    CHECK(of_response(200, {{te, "Chunked"}}) == "chunked");
    CHECK(of_response(200, {{cl, "7"}}) == "length 7");
    CHECK(of_response(200, {}) == "until close");
    CHECK(of_response(500, {{cl, "0"}}) == "length 0");
    for (const char* value : {"", "identity", "gzip, chunked", "chunked, chunked", "chunked;q=1"}) {
        CAPTURE(value);
        CHECK(of_response(200, {{te, value}}) == "upstream_malformed");
        CHECK(of_response(304, {{te, value}}) == "upstream_malformed");
    }
}

TEST_CASE("some responses have no body, whatever their valid fields say") {
    CHECK(of_response(304, {{cl, "7"}}) == "none");
    CHECK(of_response(304, {{te, "chunked"}}) == "none");
    CHECK(of_response(204, {{cl, "7"}}) == "none");
    CHECK(of_response(204, {}) == "none");
    CHECK(of_response(100, {}) == "none");
    CHECK(of_response(101, {{cl, "7"}}) == "none");
    CHECK(of_response(200, {{te, "chunked"}}, Method::head) == "none");
    CHECK(of_response(200, {}, Method::head) == "none");
    CHECK(of_response(204, {{te, "chunked"}}) == "upstream_malformed");
    CHECK(of_response(204, {{te, "chunked"}}, Method::head) == "upstream_malformed");
    CHECK(of_response(103, {{te, "chunked"}}) == "upstream_malformed");
    CHECK(of_response(205, {}) == "length 0");
    CHECK(of_response(205, {{cl, "0"}}) == "length 0");
    CHECK(of_response(205, {{cl, "1"}}) == "upstream_malformed");
    CHECK(of_response(205, {{te, "chunked"}}) == "upstream_malformed");
}

TEST_CASE("version and Connection decide whether the connection stays open") {
    CHECK_FALSE(closes(Version::http11, {}));
    CHECK(closes(Version::http11, {{"Connection", "close"}}));
    CHECK(closes(Version::http11, {{"Connection", "x , CLOSE"}}));
    CHECK(closes(Version::http11, {{"Connection", "keep-alive"}, {"connection", "close"}}));
    CHECK(closes(Version::http11, {{"Connection", "keep-alive, close"}}));
    CHECK_FALSE(closes(Version::http11, {{"Connection", "closed"}}));
    CHECK_FALSE(closes(Version::http11, {{"Keep-Alive", "close"}}));
    CHECK(closes(Version::http10, {}));
    CHECK(closes(Version::http10, {{"Connection", "x"}}));
    CHECK_FALSE(closes(Version::http10, {{"Connection", "Keep-Alive"}}));
    CHECK(closes(Version::http10, {{"Connection", "Keep-Alive, close"}}));
}
