// The lines of the access log: every field, and whatever bytes a peer sends.
#include "proxy/observe/log_line.hpp"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "proxy/observe/log_text.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;
using Format = config::AccessLog::Format;

namespace {

const Endpoint& aws_endpoint() {
    static const Endpoint made = [] {
        Endpoint endpoint;
        endpoint.pool = "aws";
        endpoint.provider = "aws";
        endpoint.region = "us-east-1";
        endpoint.text = "10.0.1.10:8080";
        return endpoint;
    }();
    return made;
}

ExchangeRecord sample() {
    ExchangeRecord r;
    r.started = TimePoint(10s);
    r.ended = TimePoint(10s + 12'345'678ns);
    r.wall = WallTime(1'772'420'645s + 7ms);  // 2026-03-02T03:04:05.007Z
    r.client = "192.0.2.7";
    r.method = "GET";
    r.host = "nft.example";
    r.path = "/metadata/7?full=1";
    r.referer = "https://nft.example/";
    r.user_agent = "curl/7.88.1";
    r.request_id = "abc";
    r.status = 200;
    r.bytes_in = 3;
    r.bytes_out = 1024;
    r.route = 0;
    r.route_name = "metadata";
    r.endpoint = &aws_endpoint();
    r.attempts = 2;
    r.connect = 0ns;
    r.first_byte = 1'500us;
    return r;
}

std::string line(Format format, const ExchangeRecord& record) {
    LineFormatter formatter;
    std::vector<char> room(LineFormatter::bound(record));  // exact: a sanitizer sees overruns
    char* const end = formatter.format(format, record, room.data());
    return {room.data(), end};
}

std::string json_text(std::string_view text) {
    std::vector<char> room(std::min(6 * text.size(), log_text_max) + 1);
    return {room.data(), write_json_text(room.data(), text)};
}

std::string quoted_text(std::string_view text) {
    std::vector<char> room(std::min(6 * text.size(), log_text_max) + 1);
    return {room.data(), write_quoted_text(room.data(), text)};
}

}  // namespace

TEST_CASE("a JSON line holds every field in its order") {
    CHECK(line(Format::json, sample()) ==
          R"({"time":"2026-03-02T03:04:05.007Z","client":"192.0.2.7","method":"GET",)"
          R"("host":"nft.example","path":"/metadata/7?full=1","version":"1.1","status":200,)"
          R"("bytes_in":3,"bytes_out":1024,"duration_ms":12.345,"route":"metadata",)"
          R"("upstream":"10.0.1.10:8080","pool":"aws","provider":"aws","region":"us-east-1",)"
          R"("attempts":2,"connect_ms":0.000,"first_byte_ms":1.500,"cache":null,"outcome":"ok",)"
          R"("request_id":"abc","referer":"https://nft.example/","user_agent":"curl/7.88.1"})"
          "\n");
}

TEST_CASE("a background exchange says that it is a fill") {
    ExchangeRecord record = sample();
    record.kind = ExchangeRecord::Kind::fill;
    CHECK(line(Format::json, record)
              .starts_with(R"({"time":"2026-03-02T03:04:05.007Z","kind":"fill","client":)"));
}

TEST_CASE("a gRPC call says how it ended") {
    ExchangeRecord r = sample();
    CHECK(line(Format::json, r).find("grpc_status") == std::string::npos);
    r.grpc = grpc::Status::unavailable;
    CHECK(line(Format::json, r).find(R"("status":200,"grpc_status":14,"bytes_in":3)") !=
          std::string::npos);
}

TEST_CASE("what is absent is null") {
    ExchangeRecord record;
    record.outcome = "bad_request";
    const auto parsed = boost::json::parse(line(Format::json, record)).as_object();
    for (const char* key : {"client", "method", "host", "path", "version", "status", "route",
                            "upstream", "pool", "provider", "region", "connect_ms", "first_byte_ms",
                            "cache", "request_id", "referer", "user_agent"}) {
        CAPTURE(key);
        REQUIRE(parsed.contains(key));
        CHECK(parsed.at(key).is_null());
    }
    CHECK(parsed.at("attempts") == 0);
    CHECK(parsed.at("outcome") == "bad_request");
}

TEST_CASE("a combined line is Apache's") {
    CHECK(line(Format::combined, sample()) ==
          "192.0.2.7 - - [02/Mar/2026:03:04:05 +0000] \"GET /metadata/7?full=1 HTTP/1.1\" 200 1024 "
          "\"https://nft.example/\" \"curl/7.88.1\"\n");
    ExchangeRecord empty;
    empty.wall = sample().wall;
    CHECK(line(Format::combined, empty) ==
          "- - - [02/Mar/2026:03:04:05 +0000] \"-\" - - \"-\" \"-\"\n");
}

TEST_CASE("the date follows the second") {
    LineFormatter formatter;
    ExchangeRecord record = sample();
    std::vector<char> room(LineFormatter::max_line);
    (void)formatter.format(Format::json, record, room.data());
    record.wall += 993ms;
    char* end = formatter.format(Format::json, record, room.data());
    CHECK(std::string(room.data(), end).substr(0, 33) == R"({"time":"2026-03-02T03:04:06.000Z)");
    record.wall += 24h * 304;
    end = formatter.format(Format::json, record, room.data());
    CHECK(std::string(room.data(), end).substr(0, 33) == R"({"time":"2026-12-31T03:04:06.000Z)");
}

TEST_CASE("special characters are escaped wherever they stand") {
    for (std::size_t length = 1; length < 40; ++length) {
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, 'a');
            text[at] = '"';
            std::string expected = text;
            expected.insert(at, "\\");
            REQUIRE(json_text(text) == expected);
            REQUIRE(quoted_text(text) == expected);
        }
    }
}

TEST_CASE("every byte gives valid JSON and stays readable") {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text = std::string(17, 'x') + static_cast<char>(byte) + "y";
        const auto value = boost::json::parse("\"" + json_text(text) + "\"").as_string();
        CAPTURE(byte);
        REQUIRE(value.size() == (byte < 0x80 ? text.size() : text.size() + 1));
        if (byte < 0x80) REQUIRE(std::string_view(value) == text);
    }
    CHECK(json_text("a\x01\x7f\xff") == "a\\u0001\\u007f\\u00ff");
}

TEST_CASE("UTF-8 passes, what only looks like it does not") {
    for (const char* good : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"}) {
        CHECK(json_text(good) == good);
    }
    for (const char* bad : {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf0\x80\x80\xaf", "\xe2\x82", "\x80", "\xc3", "\xf5\x80\x80\x80"}) {
        CHECK(json_text(bad).substr(0, 4) == "\\u00");
        boost::json::parse("\"" + json_text(bad) + "\"");
    }
}

TEST_CASE("a combined line is printable ASCII") {
    CHECK(quoted_text("a\n\"\\\xc3\xa9\x7f") == "a\\x0a\\\"\\\\\\xc3\\xa9\\x7f");
}

TEST_CASE("overlong texts are cut to the bound and stay valid") {
    for (const char unit : {'a', '"', '\x01', '\xff'}) {
        ExchangeRecord record = sample();
        const std::string text(100'000, unit);
        record.path = record.user_agent = record.referer = record.method = record.host = text;
        record.client = record.request_id = record.route_name = record.cache_status = text;
        CHECK(LineFormatter::bound(record) <= LineFormatter::max_line);
        const std::string json = line(Format::json, record);
        boost::json::parse(json);
        CHECK(json.size() <= LineFormatter::bound(record));
        CHECK(line(Format::combined, record).size() <= LineFormatter::bound(record));
    }
    CHECK(json_text(std::string(8192, 'a')).size() == 8192);
    CHECK(json_text(std::string(8193, 'a')).size() == 8192);
}
