// What is refused before anything is looked up, and who the client is.
#include "proxy/pipeline/guard.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/alone.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

const char* const trusting = R"(
listeners: [ { address: "127.0.0.1:8080" } ]
admin: off
self: { node: edge-under-test }
trusted_proxies: [ 10.0.0.0/8, "2001:db8:1::/48" ]
limits: { body: 1KiB }
pools: { app: { endpoints: [ "192.0.2.1:80" ] } }
routes: [ { pools: [ app ] } ]
)";

std::string client_of(const std::string& fields, const std::string& peer = "10.1.1.1") {
    const Alone alone("GET / HTTP/1.1\nHost: a" + fields, trusting, peer, peer.starts_with("10."));
    return std::string(alone.x.record.client);
}

/// The error's reason, or the normalised path.
std::string guarded(const std::string& request) {
    Alone alone(request, trusting, "198.51.100.7", false);
    const Result<std::string_view> path = guard(alone.x);
    return std::string(path ? *path : path.error().reason());
}

std::string id_of(const std::string& id, bool trusted) {
    const Alone alone("GET / HTTP/1.1\nHost: a\nX-Request-Id: " + id, trusting,
                      trusted ? "10.1.1.1" : "198.51.100.7", trusted);
    return std::string(alone.x.record.request_id);
}

}  // namespace

TEST_CASE("the client is the rightmost address that is not one of ours") {
    CHECK(client_of("") == "10.1.1.1");
    CHECK(client_of("\nX-Forwarded-For: 203.0.113.9") == "203.0.113.9");
    CHECK(client_of("\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.2.2.2") == "203.0.113.9");
    CHECK(client_of("\nX-Forwarded-For: 6.6.6.6\nX-Forwarded-For: 203.0.113.9,10.2.2.2") ==
          "203.0.113.9");
    CHECK(client_of("\nX-Forwarded-For: 10.3.3.3, 10.2.2.2") == "10.3.3.3");
    CHECK(client_of("\nX-Forwarded-For: 2001:db8:2::1, 2001:db8:1::1") == "2001:db8:2::1");
}

TEST_CASE("nothing left of what is no address is believed") {
    CHECK(client_of("\nX-Forwarded-For: 203.0.113.9, unknown, 10.2.2.2") == "10.2.2.2");
    CHECK(client_of("\nX-Forwarded-For: 203.0.113.9, <script>") == "10.1.1.1");
    CHECK(client_of("\nX-Forwarded-For: 203.0.113.9,") == "10.1.1.1");
}

TEST_CASE("an untrusted peer is the client, whatever it says") {
    CHECK(client_of("\nX-Forwarded-For: 10.2.2.2, 203.0.113.9", "198.51.100.7") == "198.51.100.7");
}

TEST_CASE("a sane request id is kept from a trusted peer only") {
    CHECK(id_of("abc-123_X.y:z+/=", true) == "abc-123_X.y:z+/=");
    CHECK(id_of(std::string(128, 'a'), true) == std::string(128, 'a'));
    for (const std::string& bad :
         {std::string("a b"), std::string("a\"b"), std::string(129, 'a'), std::string("<x>")}) {
        CHECK(id_of(bad, true) != bad);
        CHECK(id_of(bad, true).size() == 32);
    }
    const std::string made = id_of("abc-123", false);
    CHECK(made.size() == 32);
    CHECK(made.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(made != id_of("abc-123", false));
}

TEST_CASE("a request that has passed here, or through eight hops, is a loop") {
    const std::string get = "GET /a HTTP/1.1\nHost: a\n";
    CHECK(guarded(get + "Via: 1.1 other") == "/a");
    CHECK(guarded(get + "Via: 1.1 other-edge-under-test, 1.1 edge-under-test-2") == "/a");
    CHECK(guarded(get + "Via: 1.1 x, 1.0 edge-under-test, 1.1 y") == "loop_detected");
    CHECK(guarded(get + "Via: 1.1 edge-under-test (a comment)") == "loop_detected");
    CHECK(guarded(get + "Via: 1.1 a\nVia: HTTP/1.1 edge-under-test") == "loop_detected");
    const std::string seven = "Via: 1 a, 1 b, 1 c\nVia: 1 d, 1 e, 1 f, 1 g";
    CHECK(guarded(get + seven) == "/a");
    CHECK(guarded(get + seven + "\nVia: 1 h") == "loop_detected");
}

TEST_CASE("only 100-continue can be expected, and only for a body of a 1.1 request") {
    const std::string post = "POST /a HTTP/1.1\nHost: a\nContent-Length: 5\n";
    CHECK(guarded(post + "Expect: 200-ok") == "expectation_failed");
    CHECK(guarded(post + "Expect: 100-Continue") == "/a");
    const auto expects = [](const std::string& request) {
        Alone alone(request, trusting, "198.51.100.7", false);
        CHECK(guard(alone.x).has_value());
        return alone.x.expects_continue;
    };
    CHECK(expects(post + "Expect: 100-continue"));
    CHECK_FALSE(expects("GET /a HTTP/1.1\nHost: a\nExpect: 100-continue"));
    CHECK_FALSE(expects("POST /a HTTP/1.0\nHost: a\nContent-Length: 5\nExpect: 100-continue"));
}

TEST_CASE("an announced body beyond the limit is refused unread") {
    const std::string post = "POST /a HTTP/1.1\nHost: a\nContent-Length: ";
    CHECK(guarded(post + "1024") == "/a");
    CHECK(guarded(post + "1025") == "body_too_large");
    CHECK(guarded("POST /a HTTP/1.1\nHost: a\nTransfer-Encoding: chunked") == "/a");
}

TEST_CASE("the path has one spelling from here on") {
    CHECK(guarded("GET /a/./b/../%7ec HTTP/1.1\nHost: a") == "/a/~c");
    CHECK(guarded("GET /a%00b HTTP/1.1\nHost: a") == "bad_path");
    CHECK(guarded("OPTIONS * HTTP/1.1\nHost: a") == "*");
}

TEST_CASE("blocks of trusted proxies are matched by their bits") {
    const Alone alone("GET / HTTP/1.1\nHost: a", trusting, "10.1.1.1", true);
    const auto trusted = [&](const char* ip) {
        return is_trusted(alone.x.config(), *SocketAddress::from_ip(ip, 1));
    };
    CHECK(trusted("10.255.0.1"));
    CHECK_FALSE(trusted("11.0.0.1"));
    CHECK(trusted("2001:db8:1:ffff::1"));
    CHECK_FALSE(trusted("2001:db8:2::1"));
}
