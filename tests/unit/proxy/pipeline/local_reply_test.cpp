// The proxy's own answers: small, right in their framing, and silent about the inside.
#include "proxy/pipeline/local_reply.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/alone.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

struct Replied : Alone {
    Replied(const std::string& request, const Error& error)
        : Alone(request, two_endpoints, "198.51.100.7", false) {
        run_now(reply_error(x, error));
        CHECK(sink.ended);
    }
    explicit Replied(const std::string& request)
        : Alone(request, two_endpoints, "198.51.100.7", false) {}
};

const std::string get = "GET /a?b=c HTTP/1.1\nHost: shop.example";

}  // namespace

TEST_CASE("an error is JSON with status, reason and request id, and nothing else") {
    const Replied reply(get,
                        {ErrorKind::upstream_malformed, false, {}, "garbage from 192.0.2.1:80"});
    CHECK(reply.sink.status == 502);
    CHECK(reply.sink.reason == "Bad Gateway");
    CHECK(reply.sink.body == "{\"status\":502,\"reason\":\"upstream_malformed\",\"request_id\":\"" +
                                 std::string(reply.x.record.request_id) + "\"}\n");
    CHECK(reply.sink.length == reply.sink.body.size());
    CHECK(reply.sink.field("Content-Type") == "application/json");
    CHECK(reply.sink.field("Cache-Control") == "no-store");
    CHECK(reply.sink.field("X-Request-Id") == reply.x.record.request_id);
    CHECK(reply.sink.field("Via") == "1.1 edge-under-test");
    CHECK_FALSE(reply.sink.field("Date").empty());
    CHECK(reply.x.record.status == 502);
    CHECK(reply.x.record.bytes_out == reply.sink.body.size());
}

TEST_CASE("a browser gets text, who says JSON gets JSON") {
    const Replied browser(get + "\nAccept: text/html,application/xhtml+xml,*/*;q=0.8",
                          {ErrorKind::no_route});
    CHECK(browser.sink.status == 404);
    CHECK(browser.sink.field("Content-Type") == "text/plain; charset=utf-8");
    CHECK(browser.sink.body == "404 Not Found\nreason: no_route\nrequest id: " +
                                   std::string(browser.x.record.request_id) + "\n");
    const Replied both(get + "\nAccept: text/html, application/json", {ErrorKind::no_route});
    CHECK(both.sink.field("Content-Type") == "application/json");
    const Replied any(get + "\nAccept: */*", {ErrorKind::no_route});
    CHECK(any.sink.field("Content-Type") == "application/json");
}

TEST_CASE("an error for HEAD has the length of its body, not the body") {
    const Replied reply("HEAD / HTTP/1.1\nHost: a", {ErrorKind::no_endpoint});
    CHECK(reply.sink.body.empty());
    CHECK(reply.sink.length > 0);
    CHECK(reply.x.record.bytes_out == 0);
}

TEST_CASE("503 says when to come again, 405 says what is allowed") {
    CHECK(Replied(get, {ErrorKind::overloaded}).sink.field("Retry-After") == "1");
    const Replied refused(get, {ErrorKind::method_refused});
    CHECK(refused.sink.status == 405);
    CHECK(refused.sink.field("Allow").find("GET") != std::string::npos);
}

TEST_CASE("every status of the table gets a whole answer") {
    for (std::size_t i = 0; i < error_kinds; ++i) {
        const ErrorFacts& row = facts(static_cast<ErrorKind>(i));
        if (row.status == 499) continue;
        const Replied reply(get, {row.kind});
        CHECK(reply.sink.status == row.status);
        CHECK(reply.sink.reason != "Unknown");
        CHECK(reply.sink.body.find(row.reason) != std::string::npos);
    }
}

TEST_CASE("a redirect fills in its target and has no body") {
    Replied reply(get);
    run_now(redirect(reply.x, {"https://{host}{uri}", 301}));
    CHECK(reply.sink.status == 301);
    CHECK(reply.sink.field("Location") == "https://shop.example/a?b=c");
    CHECK(reply.sink.body.empty());
    CHECK(reply.sink.length == 0);
    CHECK(reply.x.record.outcome == "redirect");
    CHECK(reply.x.record.status == 301);
}

TEST_CASE("a fixed answer is what the route says") {
    Replied reply(get);
    run_now(respond(reply.x, {200, "pong", "text/x-pong"}));
    CHECK(reply.sink.status == 200);
    CHECK(reply.sink.body == "pong");
    CHECK(reply.sink.field("Content-Type") == "text/x-pong");
    CHECK(reply.x.record.outcome == "respond");
    CHECK(reply.x.record.bytes_out == 4);
    Replied empty(get);
    run_now(respond(empty.x, {204, "", ""}));
    CHECK(empty.sink.status == 204);
    CHECK(empty.sink.field("Content-Type").empty());
    CHECK(empty.sink.body.empty());
}
