// Conditions (RFC 9110 section 13) and validation (RFC 9111 section 4.3).
#include "cache/rules/conditional.hpp"

#include <doctest/doctest.h>

#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

Condition judge(Pairs request, Pairs stored) {
    return judge_condition(fields(request), fields(stored), then);
}

Condition judge_tag(std::string_view wanted, std::string_view stored) {
    return judge({{"If-None-Match", wanted}}, {{"ETag", stored}});
}

Condition judge_date(std::string_view since, std::string_view modified) {
    return judge({{"If-Modified-Since", since}}, {{"Last-Modified", modified}});
}

std::string text_of(const HeaderList& list) {
    std::string text;
    for (const HeaderField& field : list)
        text.append(field.name).append("=").append(field.value).append(" ");
    return text;
}

}  // namespace

TEST_CASE("RFC 9110 13.1.2: If-None-Match compares weakly, any of its tags") {
    CHECK(judge_tag("\"a\"", "\"a\"") == Condition::not_modified);
    CHECK(judge_tag("W/\"a\"", "\"a\"") == Condition::not_modified);
    CHECK(judge_tag("\"a\"", "W/\"a\"") == Condition::not_modified);
    CHECK(judge_tag("\"b\", \"a\" ,\"c\"", "\"a\"") == Condition::not_modified);
    CHECK(judge_tag("\"b\", W/\"a\"", "\"a\"") == Condition::not_modified);
    CHECK(judge_tag("\"b\"", "\"a\"") == Condition::holds);
    CHECK(judge_tag("\"A\"", "\"a\"") == Condition::holds);
    CHECK(judge_tag("w/\"a\"", "\"a\"") == Condition::holds);
    CHECK(judge({{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, {{"ETag", "\"a\""}}) ==
          Condition::not_modified);
}

TEST_CASE("RFC 9110 8.8.3: a comma inside of quotes is part of a tag") {
    CHECK(judge_tag("\"x\", \"a,b\"", "\"a,b\"") == Condition::not_modified);
    CHECK(judge_tag("\"x, \"a\", y\"", "\"a\"") == Condition::holds);
    CHECK(judge_tag("\"a", "\"a\"") == Condition::holds);
    CHECK(judge_tag("abc, \"a\"", "\"a\"") == Condition::not_modified);
    CHECK(judge_tag("abc", "abc") == Condition::not_modified);
}

TEST_CASE("RFC 9110 13.1.2: \"*\" means any; without a stored tag no list matches") {
    CHECK(judge({{"If-None-Match", "*"}}, {}) == Condition::not_modified);
    CHECK(judge({{"If-None-Match", "\"a\""}}, {}) == Condition::holds);
    CHECK(judge({{"If-None-Match", ""}}, {{"ETag", ""}}) == Condition::holds);
    CHECK(judge({{"If-None-Match", "\"\""}}, {{"ETag", ""}}) == Condition::holds);
}

TEST_CASE("RFC 9110 13.2.2: If-None-Match goes before If-Modified-Since") {
    CHECK(judge({{"If-None-Match", "\"b\""}, {"If-Modified-Since", hour_later}},
                {{"ETag", "\"a\""}, {"Last-Modified", then_text}}) == Condition::holds);
}

TEST_CASE("RFC 9110 13.1.3: If-Modified-Since") {
    CHECK(judge_date(then_text, then_text) == Condition::not_modified);
    CHECK(judge_date(hour_later, then_text) == Condition::not_modified);
    CHECK(judge_date(hour_before, then_text) == Condition::holds);
    CHECK(judge_date("Sunday, 06-Nov-94 08:49:37 GMT", then_text) == Condition::not_modified);
    CHECK(judge_date("yesterday", then_text) == Condition::none);
    CHECK(judge({{"If-Modified-Since", then_text}, {"If-Modified-Since", then_text}},
                {{"Last-Modified", then_text}}) == Condition::none);
    CHECK(judge({}, {{"Last-Modified", then_text}}) == Condition::none);
}

TEST_CASE("RFC 9111 4.3.2: without Last-Modified its Date stands in") {
    CHECK(judge({{"If-Modified-Since", then_text}}, {{"Date", then_text}}) ==
          Condition::not_modified);
    CHECK(judge({{"If-Modified-Since", hour_before}}, {{"Date", then_text}}) == Condition::holds);
    CHECK(judge({{"If-Modified-Since", then_text}}, {}) == Condition::holds);
}

TEST_CASE("RFC 9110 13.1.1, 13.1.4: If-Match and If-Unmodified-Since are the origin's") {
    CHECK(passes_to_origin(fields({{"If-Match", "*"}})));
    CHECK(passes_to_origin(fields({{"If-Unmodified-Since", then_text}})));
    CHECK_FALSE(passes_to_origin(fields({{"If-None-Match", "*"}})));
}

TEST_CASE("RFC 9111 4.3.1: a validating request has our validators and none of the client's") {
    HeaderList request = fields({{"Range", "bytes=0-1"},
                                 {"If-Range", "\"x\""},
                                 {"If-None-Match", "\"x\""},
                                 {"If-Modified-Since", hour_before},
                                 {"If-Match", "\"x\""},
                                 {"If-Unmodified-Since", hour_before},
                                 {"A", "1"}});
    make_validating(request, fields({{"ETag", "W/\"a\""}, {"Last-Modified", then_text}}));
    CHECK(text_of(request) ==
          "A=1 If-None-Match=W/\"a\" If-Modified-Since=" + std::string(then_text) + " ");
    make_unconditional(request);
    CHECK(text_of(request) == "A=1 ");
    make_validating(request, {});
    CHECK(text_of(request) == "A=1 ");
}

TEST_CASE("RFC 9111 3.2: a 304 replaces fields, but not those that describe the stored bytes") {
    const HeaderList merged = updated(fields({{"Content-Length", "5"},
                                              {"Content-Encoding", "gzip"},
                                              {"Content-Type", "a"},
                                              {"Content-Range", "x"},
                                              {"Content-MD5", "y"},
                                              {"ETag", "W/\"a\""},
                                              {"X-Old", "1"},
                                              {"Many", "1"},
                                              {"many", "2"},
                                              {"Cache-Control", "max-age=1"}}),
                                      fields({{"Content-Length", "0"},
                                              {"Content-Encoding", "br"},
                                              {"Content-Type", "b"},
                                              {"Content-Range", "z"},
                                              {"content-md5", "z"},
                                              {"ETag", "\"a\""},
                                              {"X-New", "1"},
                                              {"MANY", "3"},
                                              {"Cache-Control", "max-age=9"}}));
    CHECK(text_of(merged) ==
          "Content-Length=5 Content-Encoding=gzip Content-Range=x Content-MD5=y ETag=W/\"a\" "
          "X-Old=1 Content-Type=b X-New=1 MANY=3 Cache-Control=max-age=9 ");
}

TEST_CASE("RFC 9111 4.3.4: a 304 with other validators is not about what is stored") {
    const HeaderList stored = fields({{"ETag", "\"a\""}, {"Last-Modified", then_text}});
    CHECK(validates(stored, fields({{"ETag", "\"a\""}})));
    CHECK(validates(stored, fields({{"ETag", "W/\"a\""}})));
    CHECK_FALSE(validates(stored, fields({{"ETag", "\"b\""}})));
    CHECK_FALSE(validates(stored, fields({{"ETag", "\"b\""}, {"Last-Modified", then_text}})));
    CHECK(validates(stored, fields({{"Last-Modified", then_text}})));
    CHECK_FALSE(validates(stored, fields({{"Last-Modified", hour_later}})));
    CHECK(validates(stored, fields({})));
    CHECK_FALSE(validates(fields({{"Last-Modified", then_text}}), fields({{"ETag", "\"b\""}})));
}
