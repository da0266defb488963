// What changes about a message on its way through.
#include "proxy/pipeline/prepare.hpp"

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/alone.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

std::string with_route(const std::string& route, const std::string& pool = "") {
    return R"(
listeners: [ { address: "127.0.0.1:8080" } ]
admin: off
self: { node: edge-under-test }
pools: { app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:8080", "[2001:db8::1]:80" ])" +
           pool + R"( } }
routes: [ { pools: [ app ])" +
           route + " } ]\n";
}

/// A request that was prepared for `path`.
struct Prepared : Alone {
    explicit Prepared(const std::string& request, bool trusted = false,
                      const std::string& ip = "198.51.100.7", const std::string& route = "",
                      const std::string& pool = "")
        : Alone(request, with_route(route, pool), ip, trusted) {
        x.route = &edge.snapshot->routes[0];
        const Result<std::string_view> path = guard(x);
        REQUIRE(path.has_value());
        x.upgrade = x.request.fields.find(Field::upgrade) != nullptr;
        CHECK_FALSE(prepare_target(x, *path).has_value());
        prepare_fields(x);
    }
};

}  // namespace

TEST_CASE("an untrusted client's forwarded fields are dropped, then set") {
    const Prepared p(
        "GET / HTTP/1.1\nHost: shop.example\nX-Forwarded-For: 6.6.6.6\nX-Forwarded-Proto: https\n"
        "X-Forwarded-Host: evil.example\nForwarded: for=6.6.6.6\nX-Real-IP: 6.6.6.6");
    CHECK(p.forwarded("X-Forwarded-For") == "198.51.100.7");
    CHECK(p.forwarded("X-Forwarded-Proto") == "http");
    CHECK(p.forwarded("X-Forwarded-Host") == "shop.example");
    CHECK(p.forwarded("Forwarded") == "for=198.51.100.7;host=\"shop.example\";proto=http");
    CHECK(p.forwarded("X-Real-IP") == "198.51.100.7");
    CHECK(p.forwarded("X-Request-Id").size() == 32);
}

TEST_CASE("a certificate's subject is a trusted peer's word alone, and Connection cannot hide it") {
    const std::string request =
        "GET / HTTP/1.1\nHost: a.example\nX-Client-Cert-Subject: CN=ann\n"
        "Connection: X-Client-Cert-Subject";
    CHECK(Prepared(request, true, "10.1.1.1").forwarded("X-Client-Cert-Subject") == "CN=ann");
    CHECK(Prepared(request).forwarded("X-Client-Cert-Subject") == "");
}

TEST_CASE("a trusted peer's chain goes on, and its word on scheme and host is kept") {
    const Prepared p(
        "GET / HTTP/1.1\nHost: inner\nX-Forwarded-For: 203.0.113.9\nX-Forwarded-For: 10.2.2.2\n"
        "X-Forwarded-Proto: https\nX-Forwarded-Host: shop.example\nForwarded: for=203.0.113.9\n"
        "X-Request-Id: kept-1",
        true, "10.1.1.1");
    CHECK(p.forwarded("X-Forwarded-For") == "203.0.113.9, 10.2.2.2, 10.1.1.1");
    CHECK(p.forwarded("X-Forwarded-Proto") == "https");
    CHECK(p.forwarded("X-Forwarded-Host") == "shop.example");
    CHECK(p.forwarded("Forwarded") == "for=203.0.113.9, for=10.1.1.1;host=\"inner\";proto=http");
    CHECK(p.forwarded("X-Request-Id") == "kept-1");
}

TEST_CASE("an IPv6 client is quoted where the grammar wants it") {
    const Prepared p("GET / HTTP/1.1\nHost: a", false, "2001:db8::7");
    CHECK(p.forwarded("X-Forwarded-For") == "2001:db8::7");
    CHECK(p.forwarded("Forwarded") == "for=\"[2001:db8::7]\";host=\"a\";proto=http");
}

TEST_CASE("fields of one hop, those that Connection names, and underscored ones do not go on") {
    const Prepared p(
        "GET / HTTP/1.1\nHost: a\nConnection: keep-alive, X-Hop, Cache-Control, X-Forwarded-For\n"
        "Keep-Alive: timeout=5\nProxy-Connection: keep-alive\nTE: trailers\nX-Hop: 1\n"
        "Cache-Control: no-store\nX_Forwarded_For: 6.6.6.6\nProxy-Authorization: x\nX-Keep: 1");
    for (const char* const name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "X-Hop",
                                   "X_Forwarded_For", "Proxy-Authorization"}) {
        CHECK_MESSAGE(p.forwarded(name).empty(), std::string(name));
    }
    CHECK(p.forwarded("X-Keep") == "1");
    CHECK(p.forwarded("Cache-Control") == "no-store");
    CHECK(p.forwarded("X-Forwarded-For") == "198.51.100.7");
}

TEST_CASE("Via is appended with the version that was received, unless the route says no") {
    CHECK(Prepared("GET / HTTP/1.0\nVia: 1.1 first").forwarded("Via") ==
          "1.1 first|1.0 edge-under-test");
    CHECK(Prepared("GET / HTTP/1.1\nHost: a", false, "198.51.100.7", ", via: off")
              .forwarded("Via")
              .empty());
}

TEST_CASE("the normalised path goes on, or the raw one where the route wants it") {
    const std::string get = "GET /a/../%7eb?q=%7e HTTP/1.1\nHost: a";
    CHECK(Prepared(get).x.target == "/~b?q=%7e");
    CHECK(Prepared(get, false, "198.51.100.7", ", raw_path: true").x.target == "/a/../%7eb?q=%7e");
    CHECK(Prepared("GET /a? HTTP/1.1\nHost: a").x.target == "/a?");
    CHECK(Prepared("GET http://a/b HTTP/1.1\nHost: a").x.target == "/b");
    CHECK(Prepared("OPTIONS * HTTP/1.1\nHost: a").x.target == "*");
    CHECK(Prepared("GET /x/y HTTP/1.1\nHost: a", false, "198.51.100.7",
                   ", match: { path_prefix: /x }, rewrite: { strip_prefix: /x }")
              .x.target == "/y");
}

TEST_CASE("the route's request headers have the last word") {
    const Prepared p("GET / HTTP/1.1\nHost: a\nX-Secret: 1\nX-Env: dev", false, "198.51.100.7",
                     ", request_headers: { set: { X-Env: prod }, add: { X-New: n }, "
                     "remove: [ X-Secret ] }");
    CHECK(p.forwarded("X-Secret").empty());
    CHECK(p.forwarded("X-Env") == "prod");
    CHECK(p.forwarded("X-New") == "n");
}

TEST_CASE("Host is the client's, the endpoint's or a literal, as its pool says") {
    const std::string get = "GET / HTTP/1.1\nHost: shop.example:81";
    Prepared client(get);
    CHECK(host_for(client.x, *client.edge.endpoints("app")[0]) == "shop.example:81");
    Prepared nameless("GET / HTTP/1.0");
    CHECK(host_for(nameless.x, *nameless.edge.endpoints("app")[0]) == "192.0.2.1");
    CHECK(host_for(nameless.x, *nameless.edge.endpoints("app")[1]) == "192.0.2.2:8080");
    CHECK(host_for(nameless.x, *nameless.edge.endpoints("app")[2]) == "[2001:db8::1]");
    Prepared endpoint(get, false, "198.51.100.7", "", ", host: endpoint");
    CHECK(host_for(endpoint.x, *endpoint.edge.endpoints("app")[1]) == "192.0.2.2:8080");
    Prepared literal(get, false, "198.51.100.7", "", ", host: origin.example");
    CHECK(host_for(literal.x, *literal.edge.endpoints("app")[0]) == "origin.example");
}

TEST_CASE("an answer gets Via, the request's id and a date, and loses what is for one hop") {
    Prepared p("GET / HTTP/1.1\nHost: a", false, "198.51.100.7",
               ", response_headers: { set: { X-By: us }, remove: [ Server ] }");
    HeaderList& fields = p.x.response.fields;
    fields.add("Connection", "X-Hop");
    fields.add("X-Hop", "1");
    fields.add("Keep-Alive", "timeout=5");
    fields.add("X-Request-Id", "origin's own");
    fields.add("Server", "nginx");
    p.x.response.version = Version::http10;
    prepare_response(p.x);
    CHECK(fields.find("Connection") == nullptr);
    CHECK(fields.find("X-Hop") == nullptr);
    CHECK(fields.find("Server") == nullptr);
    CHECK(fields.value(Field::via) == "1.0 edge-under-test");
    CHECK(fields.count(Field::x_request_id) == 1);
    CHECK(fields.value(Field::x_request_id) == p.x.record.request_id);
    CHECK(fields.find("X-By")->value == "us");
    CHECK(fields.value(Field::date).ends_with(" GMT"));
    CHECK(fields.value(Field::date).size() == 29);
}

TEST_CASE("an origin's date stays, and stays alone") {
    Prepared p("GET / HTTP/1.1\nHost: a");
    p.x.response.fields.add(Field::date, "Tue, 15 Nov 1994 08:12:31 GMT");
    prepare_response(p.x);
    CHECK(p.x.response.fields.count(Field::date) == 1);
    CHECK(p.x.response.fields.value(Field::date) == "Tue, 15 Nov 1994 08:12:31 GMT");
}

TEST_CASE("the protocol of an upgrade is remembered before its fields go") {
    const Prepared p("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket");
    CHECK(p.x.upgrade_protocol == "websocket");
    CHECK(p.forwarded("Upgrade").empty());
}
