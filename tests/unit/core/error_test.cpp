// The one table of what follows from an error: complete, consistent, and stable where others read
// it.
#include "core/error.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("every kind of error has its own row, status and token") {
    std::set<std::string_view> reasons;
    for (std::size_t i = 0; i < error_kinds; ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        const ErrorFacts& row = facts(kind);
        INFO(std::string(row.reason));
        CHECK(row.kind == kind);
        CHECK(row.status >= 400);
        CHECK(row.status <= 599);
        CHECK(reasons.insert(row.reason).second);
        CHECK(row.reason.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    }
}

TEST_CASE(
    "a client's mistake is a 4xx or a refusal of what it asks, and never an endpoint's fault") {
    for (std::size_t i = 0; i < error_kinds; ++i) {
        const ErrorFacts& row = facts(static_cast<ErrorKind>(i));
        INFO(std::string(row.reason));
        if (row.against_endpoint) {
            CHECK(row.side == Side::upstream);
            CHECK((row.status == 502 || row.status == 504));
        }
        // RFC 9111 section 5.2.1.7 wants 504 for only-if-cached.
        if (row.side == Side::client && row.reason != "only_if_cached") {
            CHECK(
                (row.status < 500 || row.status == 501 || row.status == 505 || row.status == 508));
        }
    }
}

TEST_CASE("an error carries its side, status and token") {
    const Error error{ErrorKind::upstream_timeout};
    CHECK(error.side() == Side::upstream);
    CHECK(error.status() == 504);
    CHECK(error.reason() == "upstream_timeout");
    CHECK_FALSE(error.retry_safe);
    CHECK(Error{ErrorKind::header_timeout}.status() == 408);
    CHECK(Error{ErrorKind::body_too_large}.status() == 413);
    CHECK(Error{ErrorKind::uri_too_long}.status() == 414);
    CHECK(Error{ErrorKind::header_too_large}.status() == 431);
    CHECK(Error{ErrorKind::no_route}.status() == 404);
    CHECK(Error{ErrorKind::overloaded}.status() == 503);
    CHECK(Error{ErrorKind::client_closed}.status() == 499);
}
