// Range requests (RFC 9110 section 14).
#include <doctest/doctest.h>

#include "cache/rules/conditional.hpp"
#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

/// "206 0-1 5-6", "200" or "416".
std::string judge(std::string_view range, std::uint64_t size = 10, Pairs more = {},
                  Pairs stored = {}) {
    RequestHead request = get({{"Range", range}});
    for (const auto& [name, value] : more)
        request.fields.add(name, value);
    const Ranges ranges = judge_range(request, fields(stored), size, then);
    if (ranges.kind != Ranges::Kind::partial) CHECK(ranges.ranges.empty());
    if (ranges.kind == Ranges::Kind::whole) return "200";
    if (ranges.kind == Ranges::Kind::unsatisfiable) return "416";
    std::string text = "206";
    for (const ByteRange& r : ranges.ranges)
        text += " " + std::to_string(r.first) + "-" + std::to_string(r.last);
    return text;
}

}  // namespace

TEST_CASE("RFC 9110 14.1.2: one range") {
    CHECK(judge("bytes=0-1") == "206 0-1");
    CHECK(judge("Bytes=9-9") == "206 9-9");
    CHECK(judge("bytes=1-") == "206 1-9");
    CHECK(judge("bytes=-1") == "206 9-9");
    CHECK(judge("bytes=-10") == "206 0-9");
    CHECK(judge("bytes=-99999999999999999999999") == "206 0-9");
    CHECK(judge("bytes=5-99999999999999999999999") == "206 5-9");
    CHECK(judge("bytes=00005-00006") == "206 5-6");
    CHECK(ByteRange{5, 6}.size() == 2);
}

TEST_CASE("RFC 9110 14.1.2, 15.5.17: what cannot be satisfied is 416") {
    CHECK(judge("bytes=10-") == "416");
    CHECK(judge("bytes=10-20, 11-") == "416");
    CHECK(judge("bytes=-0") == "416");
    CHECK(judge("bytes=99999999999999999999999-") == "416");
    CHECK(judge("bytes=0-1, 10-") == "206 0-1");
    CHECK(judge("bytes=0-", 0) == "416");
    CHECK(judge("bytes=-5", 0) == "200");
}

TEST_CASE("RFC 9110 14.2: what is malformed, or of another unit, is ignored") {
    for (const char* range :
         {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1", "bytes=2-1",
          "bytes=0-1,x", "bytes= 0-1-2", "bytes=0 -1", "bytes=0- 1", "bytes =0-1", "lines=0-1",
          "bytes:0-1", "bytes=+0-1", "bytes=0x0-1", "bytes=--1"}) {
        CAPTURE(range);
        CHECK(judge(range) == "200");
    }
    CHECK(judge("bytes=0-1", 10, {{"Range", "bytes=0-1"}}) == "200");
    CHECK(judge("bytes= 0-1 ,, 3-4,") == "206 0-1 3-4");
}

TEST_CASE("RFC 9110 14.2: only GET has ranges") {
    RequestHead head = get({{"Range", "bytes=0-1"}});
    head.method = Method::head;
    CHECK(judge_range(head, {}, 10, then).kind == Ranges::Kind::whole);
    CHECK(judge_range(get(), {}, 10, then).kind == Ranges::Kind::whole);
}

TEST_CASE("RFC 9110 14.2: several ranges keep their order, overlapping ones are joined") {
    CHECK(judge("bytes=5-6, 0-1") == "206 5-6 0-1");
    CHECK(judge("bytes=0-1,2-3") == "206 0-1 2-3");
    CHECK(judge("bytes=0-5, 3-7") == "206 0-7");
    CHECK(judge("bytes=0-, 0-, 0-") == "206 0-9");
    CHECK(judge("bytes=8-9, 0-3, 2-4, 5-6") == "206 0-6 8-9");
    CHECK(judge("bytes=0-9, 3-4, 6-7") == "206 0-9");
}

TEST_CASE("RFC 9110 17.15: more ranges than sixteen are answered by the whole") {
    std::string many = "bytes=0-0";
    for (int i = 1; i < 16; ++i)
        many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
    CHECK(judge(many, 100).starts_with("206 0-0 2-2"));
    CHECK(judge(many + ",99-99", 100) == "200");
    CHECK(judge(many + ",1000-", 100) == "200");
}

TEST_CASE("RFC 9110 13.1.5: If-Range with a tag compares strongly") {
    const Pairs strong{{"ETag", "\"a\""}};
    CHECK(judge("bytes=0-1", 10, {{"If-Range", "\"a\""}}, strong) == "206 0-1");
    CHECK(judge("bytes=0-1", 10, {{"If-Range", "\"b\""}}, strong) == "200");
    CHECK(judge("bytes=0-1", 10, {{"If-Range", "W/\"a\""}}, strong) == "200");
    CHECK(judge("bytes=0-1", 10, {{"If-Range", "W/\"a\""}}, {{"ETag", "W/\"a\""}}) == "200");
    CHECK(judge("bytes=0-1", 10, {{"If-Range", "\"a\""}}, {}) == "200");
    CHECK(judge("bytes=0-1", 10, {{"If-Range", "\"a\""}, {"If-Range", "\"a\""}}, strong) == "200");
    CHECK(judge("bytes=99-", 10, {{"If-Range", "\"b\""}}, strong) == "200");
}

TEST_CASE(
    "RFC 9110 13.1.5, 8.8.2.2: If-Range with a date wants exactly that one, and a strong one") {
    const auto of = [](std::string_view condition, std::string_view modified,
                       std::string_view date) {
        return judge("bytes=0-1", 10, {{"If-Range", condition}},
                     {{"Last-Modified", modified}, {"Date", date}});
    };
    CHECK(of(then_text, then_text, hour_later) == "206 0-1");
    CHECK(of("Sunday, 06-Nov-94 08:49:37 GMT", then_text, hour_later) == "206 0-1");
    CHECK(of(hour_later, then_text, hour_later) == "200");
    CHECK(of(hour_before, then_text, hour_later) == "200");
    CHECK(of(then_text, then_text, then_text) == "200");
    CHECK(of(then_text, then_text, "") == "200");
    CHECK(of("foo", "foo", hour_later) == "200");
}
