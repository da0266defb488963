// Dates of RFC 9110 section 5.6.7.
#include "cache/rules/http_date.hpp"

#include <ctime>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using scrollgate::test::then;

TEST_CASE("RFC 9110 5.6.7: all three forms of a date") {
    CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", then) == then);
    CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", then) == then);
    CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", then) == then);
    CHECK(parse_http_date("Sun Nov 16 08:49:37 1994", then) == then + 10 * 86'400);
    CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT", then) == 0);
    CHECK(parse_http_date("Wed, 31 Dec 1969 23:59:59 GMT", then) == -1);
    CHECK(parse_http_date("Sun, 21 Nov 2286 04:46:39 GMT", then) == 10'000'039'599);
    CHECK(parse_http_date("Tue, 19 Jan 2038 03:14:08 GMT", then) == 2'147'483'648);
    CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", then) == 253'402'300'799);
}

TEST_CASE("RFC 9110 5.6.7: the case of names is free") {
    CHECK(parse_http_date("SUN, 06 NOV 1994 08:49:37 gMT", then) == then);
    CHECK(parse_http_date("sunday, 06-nov-94 08:49:37 gmt", then) == then);
    CHECK(parse_http_date("sun nOV  6 08:49:37 1994", then) == then);
}

TEST_CASE("RFC 9110 5.6.7: a two-digit year is at most 50 years ahead") {
    const std::int64_t in_2026 = 1'790'000'000;
    CHECK(parse_http_date("Thursday, 18-Aug-50 02:01:18 GMT", in_2026) == 2'544'400'878);
    CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", in_2026) == then);
    const auto year_of = [](std::string_view text, std::int64_t now) {
        const std::time_t seconds = parse_http_date(text, now).value_or(0);
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        return parts.tm_year + 1900;
    };
    CHECK(year_of("Monday, 10-Jun-76 00:00:00 GMT", in_2026) == 2076);
    CHECK(year_of("Monday, 10-Jun-77 00:00:00 GMT", in_2026) == 1977);
    CHECK(year_of("Monday, 20-Sep-76 00:00:00 GMT", in_2026) == 2076);  // in_2026: 21 Sep
    CHECK(year_of("Wednesday, 23-Sep-76 00:00:00 GMT", in_2026) == 1976);
    CHECK(year_of("Monday, 10-Jun-05 00:00:00 GMT", 4'070'908'800) == 2105);  // 1 Jan 2099
}

TEST_CASE("RFC 9110 5.6.7: any other form is no date") {
    for (const char* text : {"",
                             "0",
                             "-1",
                             "foo",
                             "Sun,",
                             "Sun",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 AEST",
                             "Sun, 06 Nov 1994 08:49:37 +0000",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 94 08:49:37 GMT",
                             "Sun 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06  Nov  1994 08:49:37 GMT",
                             "Sun, 06-Nov-1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08.49.37 GMT",
                             "Sun, 06 Nov 1994 8:49:37 GMT",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             "Sun, 06 Nov 1994 08:49:37 GMTx",
                             "Sun, 06 Nov 1994 08:49 GMT",
                             "Xyz, 06 Nov 1994 08:49:37 GMT",
                             "Sunday, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nox 1994 08:49:37 GMT",
                             "Sun Nov 6 08:49:37 1994",
                             "Sun Nov 06 08:49:37 1994 GMT",
                             "Sun, 06 Nov -994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 -8:49:37 GMT"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_http_date(text, then).has_value());
    }
}

TEST_CASE("RFC 9110 5.6.7: a date that does not exist is none") {
    for (const char* text : {"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
                             "Sun, 29 Feb 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 0000 08:49:37 GMT"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_http_date(text, then).has_value());
    }
    CHECK(parse_http_date("Tue, 29 Feb 2000 00:00:00 GMT", then).has_value());
    CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", then) == 1'483'228'800);
}

TEST_CASE("RFC 9110 5.6.7: every day of four centuries is what the C library says") {
    for (std::int64_t day = -135'000; day < 60'000; day += 7) {
        const std::time_t seconds = day * 86'400 + 3'661;
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        char text[64];
        std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        CAPTURE(text);
        REQUIRE(parse_http_date(text, then) == seconds);
    }
}
