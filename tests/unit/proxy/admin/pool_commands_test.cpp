// What is asked of pools: every mistake told, every answer of the contract's shape.
#include "proxy/admin/pool_commands.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;
using Kind = PoolCommand::Kind;

namespace {

// The message for a body that is refused with 400.
std::string wrong(Kind kind, const std::string& body, std::vector<std::string> path = {"aws"}) {
    const ParsedCommand parsed = parse_command(kind, path, body);
    REQUIRE_MESSAGE(parsed.error, body);
    CHECK(parsed.error->status == 400);
    const auto answer = boost::json::parse(parsed.error->body);
    CHECK(answer.at("error") == "bad_command");
    return std::string(answer.at("message").as_string());
}

PoolCommand right(Kind kind, const std::string& body, std::vector<std::string> path = {"aws"}) {
    const ParsedCommand parsed = parse_command(kind, path, body);
    REQUIRE_MESSAGE(!parsed.error, parsed.error->body);
    return parsed.command;
}

HealthStatus two_pools() {
    HealthStatus status;
    for (const char* name : {"aws", "gcp"}) {
        HealthStatus::Pool& pool = status.pools.emplace_back();
        pool.name = name;
        pool.state = "in";
        pool.why = "2 of 2 endpoints in service are in";
        pool.scale = {4, 4, 0, "scaled by 2 from 2"};
        for (const char* address : {"10.0.0.1:80", "[::1]:80"}) {
            HealthStatus::Endpoint& endpoint = pool.endpoints.emplace_back();
            endpoint.address = address;
            endpoint.why = "as configured";
        }
    }
    return status;
}

PoolCommand of(Kind kind, const std::string& pool, const std::string& address = "") {
    PoolCommand command;
    command.kind = kind;
    command.pool = pool;
    command.address = address;
    return command;
}

boost::json::value body(const http1::HttpResponse& response, unsigned status) {
    CHECK(response.status == status);
    return boost::json::parse(response.body);
}

}  // namespace

TEST_CASE("what may be asked") {
    CHECK(right(Kind::scale, R"({"factor": 2.0})").wish.factor == 2.0);
    CHECK(right(Kind::scale, R"({"factor": 3})", {}).wish.factor == 3.0);
    CHECK(right(Kind::scale, R"({"active": 4})").wish.active == 4U);
    CHECK(right(Kind::fail, R"({"for": "1m30s"})").span == 90s);
    for (const char* forever : {"", " \n", "{}", R"({"for": "none"})"})
        CHECK(right(Kind::fail, forever).span == no_limit);
    CHECK(right(Kind::unfail, "").pool == "aws");
    CHECK(right(Kind::drain, "{}", {"aws", "[0:0::1]:80"}).address == "[::1]:80");
    CHECK(right(Kind::undrain, "", {"aws", "somewhere"}).address == "somewhere");
}

TEST_CASE("a wrong scale says what would be right") {
    const std::string right_one = R"(; send such as {"factor": 2.0} or {"active": 4})";
    CHECK(wrong(Kind::scale, "") == "nothing says how much is wanted" + right_one);
    CHECK(wrong(Kind::scale, "{}", {}) ==
          R"(nothing says how much is wanted; send such as {"factor": 2.0})");
    CHECK(wrong(Kind::scale, R"({"factr": 2})") ==
          "there is no key 'factr' here (did you mean factor?)" + right_one);
    CHECK(wrong(Kind::scale, R"({"factor": 2, "active": 4})") ==
          "give either factor or active" + right_one);
    for (const char* text : {R"({"factor": "2"})", R"({"factor": true})", R"({"factor": null})"})
        CHECK(wrong(Kind::scale, text) == "factor must be a number" + right_one);
    for (const char* text : {R"({"factor": 0})", R"({"factor": -1})", R"({"factor": 1e999})"})
        CHECK(wrong(Kind::scale, text).find("factor") != std::string::npos);
    for (const char* text : {R"({"active": 2.5})", R"({"active": "4"})"})
        CHECK(wrong(Kind::scale, text) == "active must be a whole number" + right_one);
    for (const char* text :
         {R"({"active": 0})", R"({"active": -4})", R"({"active": 99999999999999999999})",
          R"({"active": 18446744073709551615})"}) {
        CHECK(wrong(Kind::scale, text).starts_with("active must be"));
    }
    CHECK(wrong(Kind::scale, R"({"active": 4})", {}) ==
          "active is for one pool: POST /api/v1/pools/{pool}/scale; send such as {\"factor\": "
          "2.0}");
    CHECK(wrong(Kind::scale, "[2]").starts_with("the body must be an object"));
    CHECK(wrong(Kind::scale, "{factor: 2}").starts_with("the body is not JSON"));
}

TEST_CASE("a key that stands in a body twice is refused: which was meant?") {
    CHECK(wrong(Kind::scale, R"({"factor": 2, "factor": 3})")
              .starts_with("a key stands in the body twice; send such as"));
    CHECK(wrong(Kind::fail, R"({"for": "1s", "f\u006fr": "2s"})")
              .starts_with("a key stands in the body twice"));
    for (const char* colons : {R"({"for": "{\"a\":1}:"})", R"({"for": [{"a": 1, "b": 2}]})"})
        CHECK(wrong(Kind::fail, colons).starts_with("for"));
}

TEST_CASE("a wrong time, and bodies where none is wanted") {
    CHECK(wrong(Kind::fail, R"({"for": 30})") ==
          R"(for must be a text; send such as {"for": "30s"})");
    CHECK(wrong(Kind::fail, R"({"for": "30"})").starts_with("for: '30' has no unit; write 30s; "));
    CHECK(wrong(Kind::fail, R"({"for": ""})").starts_with("for is empty"));
    CHECK(wrong(Kind::fail, R"({"for": "30 parsecs"})").starts_with("for: "));
    CHECK(wrong(Kind::fail, R"({"for": "0"})").starts_with("for must be more than 0"));
    CHECK(wrong(Kind::drain, R"({"now": true})", {"a", "b"}) == "there is no key 'now' here");
    const ParsedCommand large = parse_command(Kind::scale, {"aws"}, std::string(20'000, ' '));
    REQUIRE(large.error);
    CHECK(large.error->status == 413);
}

TEST_CASE("scaling answers what is wanted, in service and pending, 202 when it falls short") {
    HealthStatus status = two_pools();
    PoolCommand scale = of(Kind::scale, "aws");
    CHECK(body(command_answer(scale, "", status), 200) ==
          boost::json::parse(
              R"({"wanted": 4, "in_service": 4, "pending": 0, "why": "scaled by 2 from 2"})"));
    status.pools[0].scale = {6, 4, 2, "scaled by 3 from 2; 2 more wanted than there are"};
    CHECK(body(command_answer(scale, "", status), 202).at("pending") == 2);
    scale.pool.clear();
    scale.wish.factor = 3;
    CHECK(body(command_answer(scale, "", status), 202) == boost::json::parse(R"({
        "wanted": 10, "in_service": 8, "pending": 2,
        "why": "each of 2 pools scaled by 3; 2 more wanted than there are",
        "pools": {
          "aws": {"wanted": 6, "in_service": 4, "pending": 2,
                  "why": "scaled by 3 from 2; 2 more wanted than there are"},
          "gcp": {"wanted": 4, "in_service": 4, "pending": 0, "why": "scaled by 2 from 2"}}})"));
    CHECK(body(command_answer(scale, "pool aws: too much", status), 400).at("message") ==
          "pool aws: too much");
}

TEST_CASE("what does not exist is answered with what does") {
    const HealthStatus status = two_pools();
    CHECK(body(command_answer(of(Kind::fail, "asw"), "no", status), 404).at("message") ==
          "there is no pool 'asw' (did you mean aws?); there are: aws, gcp");
    const auto answer =
        body(command_answer(of(Kind::drain, "gcp", "10.0.0.2:80"), "no", status), 404);
    CHECK(answer.at("error") == "unknown_endpoint");
    CHECK(
        answer.at("message") ==
        "pool gcp has no endpoint '10.0.0.2:80' (did you mean 10.0.0.1:80?); it has: 10.0.0.1:80, "
        "[::1]:80");
    CHECK(body(command_answer(of(Kind::undrain, "gcp", "[::1]:80"), "is not drained", status), 409)
              .at("message") == "is not drained");
}

TEST_CASE("fail and drain answer with the state that they made") {
    HealthStatus status = two_pools();
    status.pools[1].state = "failed";
    status.pools[1].why = "an operator has failed it";
    PoolCommand fail = of(Kind::fail, "gcp");
    fail.span = 30s;
    CHECK(body(command_answer(fail, "", status), 200) ==
          boost::json::parse(
              R"({"pool": "gcp", "state": "failed", "why": "an operator has failed it",
                                 "for": "30s"})"));
    CHECK(body(command_answer(of(Kind::unfail, "aws"), "", status), 200) ==
          boost::json::parse(
              R"({"pool": "aws", "state": "in", "why": "2 of 2 endpoints in service are in"})"));
    status.pools[0].endpoints[1].standing = Standing::drained;
    status.pools[0].endpoints[1].why = "an operator has drained it";
    CHECK(body(command_answer(of(Kind::drain, "aws", "[::1]:80"), "", status), 200) ==
          boost::json::parse(R"({"pool": "aws", "address": "[::1]:80", "state": "drained",
                                 "why": "an operator has drained it"})"));
    CHECK(body(command_answer(of(Kind::undrain, "aws", "10.0.0.9:80"), "", status), 200)
              .at("state") == "gone");
}
