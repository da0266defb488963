// gRPC's words: statuses, deadlines, the messages of a health check.
#include "core/grpc.hpp"

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/grpc_health.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("a status is a number and a name") {
    CHECK(grpc::name(grpc::Status::unavailable) == "unavailable");
    CHECK(grpc::digits(grpc::Status::unavailable) == "14");
    for (std::size_t i = 0; i < grpc::statuses; ++i) {
        const auto status = static_cast<grpc::Status>(i);
        CHECK(grpc::digits(status) == std::to_string(i));
        CHECK(grpc::status_from(std::to_string(i)) == status);
    }
    for (const char* none : {"", "17", "014", "-1", "1 ", "x", "99999999999999999999"})
        CHECK(grpc::status_from(none) == grpc::Status::unknown);
}

TEST_CASE("who speaks gRPC") {
    for (const char* type : {"application/grpc", "application/grpc+proto", "Application/GRPC+json",
                             "application/grpc;charset=utf-8", "application/grpc ; a=b"})
        CHECK(grpc::is_content_type(type));
    for (const char* type : {"", "application/grpc-web", "application/grpc-web+proto",
                             "application/grpcx", "application/grp", "text/plain"})
        CHECK_FALSE(grpc::is_content_type(type));
}

TEST_CASE("a timeout is up to eight digits and a unit") {
    CHECK(grpc::timeout_from("1n") == 1ns);
    CHECK(grpc::timeout_from("20u") == 20us);
    CHECK(grpc::timeout_from("000000300m") == std::nullopt);
    CHECK(grpc::timeout_from("0000300m") == 300ms);
    CHECK(grpc::timeout_from("0S") == 0s);
    CHECK(grpc::timeout_from("4S") == 4s);
    CHECK(grpc::timeout_from("5M") == 5min);
    CHECK(grpc::timeout_from("99999999m") == 99'999'999ms);
    CHECK(grpc::timeout_from("99999999H") == no_limit);
    CHECK(grpc::timeout_from("2562047H") == no_limit);
    for (const char* wrong : {"", "S", "1", "1s", "1h", "-1S", "+1S", " 1S", "1 S", "1.5S", "1SS",
                              "123456789S", "0x1S", "1S "})
        CHECK(grpc::timeout_from(wrong) == std::nullopt);
}

TEST_CASE("what is left is written in the finest unit that has room") {
    std::array<char, 9> storage;
    CHECK(grpc::timeout_text(0ns, storage) == "0n");
    CHECK(grpc::timeout_text(99'999'999ns, storage) == "99999999n");
    CHECK(grpc::timeout_text(100ms, storage) == "100000u");
    CHECK(grpc::timeout_text(10s, storage) == "10000000u");
    CHECK(grpc::timeout_text(100s, storage) == "100000m");
    CHECK(grpc::timeout_text(100'000s, storage) == "100000S");
    CHECK(grpc::timeout_text(Duration::max(), storage) == "2562047H");
    for (const Duration left : {1ns, 123'456'789ns, Duration(5min), Duration(26h)}) {
        const std::optional<Duration> read = grpc::timeout_from(grpc::timeout_text(left, storage));
        REQUIRE(read);
        CHECK(*read <= left);
        CHECK(*read >= left - left / 10'000);
    }
}

TEST_CASE("our own errors say nothing that grpc-message would have to encode") {
    for (std::size_t i = 0; i < error_kinds; ++i) {
        const ErrorFacts& row = facts(static_cast<ErrorKind>(i));
        CHECK(row.grpc != grpc::Status::ok);
        for (const char c : row.reason) {
            const bool plain = c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            CHECK(plain);
        }
    }
    CHECK(Error{ErrorKind::no_endpoint}.grpc() == grpc::Status::unavailable);
    CHECK(Error{ErrorKind::request_timeout}.grpc() == grpc::Status::deadline_exceeded);
    CHECK(Error{ErrorKind::no_route}.grpc() == grpc::Status::unimplemented);
}

TEST_CASE("a health request is a prefix and a name") {
    CHECK(grpc::health_request("") == "\0\0\0\0\0"s);
    CHECK(grpc::health_request("a.B") == "\0\0\0\0\5\x0a\3a.B"s);
    const std::string longer = grpc::health_request(std::string(300, 'x'));
    CHECK(longer.substr(0, 8) == "\0\0\0\1\x2f\x0a\xac\2"s);
    CHECK(longer.size() == 5 + 3 + 300);
}

TEST_CASE("a health response is read, and never beyond its end") {
    using grpc::Serving;
    CHECK(grpc::health_response("\0\0\0\0\0"s) == Serving::unknown);
    CHECK(grpc::health_response("\0\0\0\0\2\x08\1"s) == Serving::serving);
    CHECK(grpc::health_response("\0\0\0\0\2\x08\2"s) == Serving::not_serving);
    CHECK(grpc::health_response("\0\0\0\0\2\x08\3"s) == Serving::service_unknown);
    CHECK(grpc::health_response("\0\0\0\0\2\x08\7"s) == Serving::unknown);
    CHECK(grpc::health_response("\0\0\0\0\4\x08\2\x08\1"s) == Serving::serving);  // the last counts
    CHECK(grpc::health_response("\0\0\0\0\3\x08\x81\0"s) == Serving::serving);
    // Unknown fields: a varint, eight bytes, a text, four bytes.
    CHECK(grpc::health_response("\0\0\0\0\x18\x10\x96\1\x19"
                                "12345678\x22\3abc\x2d"
                                "1234\x08\1"s) == Serving::serving);
    for (const std::string& wrong : {
             ""s, "\0\0\0\0"s, "\0\0\0\0\1"s, "\0\0\0\0\1\x08"s, "\0\0\0\0\2\x08\x80"s,
             "\1\0\0\0\2\x08\1"s,                                             // compressed
             "\0\0\0\0\2\x08\1\0\0\0\0\0"s,                                   // two messages
             "\xff\xff\xff\xff\xff"s, "\0\xff\xff\xff\xff\x08\1"s,            // a length beyond all
             "\0\0\0\0\2\0\1"s,                                               // field 0
             "\0\0\0\0\3\x0a\5a"s, "\0\0\0\0\2\x19\1"s, "\0\0\0\0\2\x15\1"s,  // too short
             "\0\0\0\0\2\x0b\x0c"s, "\0\0\0\0\2\x0e\1"s,                    // groups, no wire type
             "\0\0\0\0\xb\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"s,      // a text of 2^64 - 1
             "\0\0\0\0\xc\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"s,  // eleven bytes
         }) {
        CHECK(grpc::health_response(wrong) == std::nullopt);
    }
}
