// What each part of a match means. The index as a whole: router_model_test.cpp.
#include "proxy/routing/router.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/routing/conditions.hpp"
#include "proxy/routing/route_index.hpp"

using namespace scrollgate;

namespace {

/// config::Match with every member optional in a braced list.
struct Match {
    std::string listener{}, host{}, path_prefix{}, path_exact{}, path_regex{};
    std::vector<std::string> methods{};
    std::vector<std::pair<std::string, std::string>> headers{}, query{};
};

config::Route with(const Match& match) {
    config::Route route;
    route.match = {match.listener,   match.host,    match.path_prefix, match.path_exact,
                   match.path_regex, match.methods, match.headers,     match.query};
    return route;
}

RequestHead request(std::string_view host, std::string_view query = {}) {
    RequestHead head;
    head.method_text = "GET";
    head.authority = host;
    head.query = query;
    return head;
}

/// The number of the route for `path` on `host`, or -1.
int found(const Router& router, std::string_view host, std::string_view path) {
    const auto route = router.find("plain", path, request(host));
    return route ? static_cast<int>(*route) : -1;
}

bool matches(const Match& match, const RequestHead& head, std::string_view path = "/",
             std::string_view listener = "plain") {
    return Router({with(match)}).find(listener, path, head).has_value();
}

}  // namespace

TEST_CASE("the first route in the file wins, whichever way it is indexed") {
    const Router router({
        with({.path_exact = "/a/exact"}),
        with({.host = "special.example", .path_prefix = "/a"}),
        with({.path_regex = "/a/[0-9]+"}),
        with({.host = "*.example", .path_prefix = "/a/b"}),
        with({.path_prefix = "/a"}),
        with({.host = "special.example"}),
        with({}),
    });
    CHECK(found(router, "special.example", "/a/exact") == 0);
    CHECK(found(router, "special.example", "/a/b") == 1);
    CHECK(found(router, "x.example", "/a/77") == 2);
    CHECK(found(router, "x.example", "/a/b/c") == 3);
    CHECK(found(router, "x.example", "/a/c") == 4);
    CHECK(found(router, "special.example", "/other") == 5);
    CHECK(found(router, "else.where", "/other") == 6);
    CHECK(found(Router({}), "a", "/") == -1);
}

TEST_CASE("path_prefix matches on segment borders and path_exact the whole path") {
    const Match prefix{.path_prefix = "/a"};
    for (const char* path : {"/a", "/a/", "/a/b", "/a//b"})
        CHECK(matches(prefix, request("h"), path));
    for (const char* path : {"/", "/ab", "/A", "/b/a", "//a", "*"}) {
        CHECK_FALSE(matches(prefix, request("h"), path));
    }
    const Match below{.path_prefix = "/a/"};
    for (const char* path : {"/a/", "/a/b", "/a//"})
        CHECK(matches(below, request("h"), path));
    for (const char* path : {"/a", "/ab", "/"})
        CHECK_FALSE(matches(below, request("h"), path));

    const Match exact{.path_exact = "/a/b"};
    CHECK(matches(exact, request("h"), "/a/b"));
    for (const char* path : {"/a", "/a/b/", "/a/b/c", "/a//b"}) {
        CHECK_FALSE(matches(exact, request("h"), path));
    }
    const Match root{.path_exact = "/"};
    CHECK(matches(root, request("h"), "/"));
    CHECK_FALSE(matches(root, request("h"), "/x"));
    const Match all{.path_prefix = "/"};
    for (const char* path : {"/", "//", "/a/b"})
        CHECK(matches(all, request("h"), path));
    CHECK_FALSE(matches(all, request("h"), "*"));
    CHECK(matches({}, request("h"), "*"));
    CHECK(matches({.path_prefix = "/%7euser"}, request("h"), "/~user/x"));
}

TEST_CASE("path_regex must match the whole path") {
    const Match regex{.path_regex = "/items/\\d+"};
    CHECK(matches(regex, request("h"), "/items/12"));
    CHECK_FALSE(matches(regex, request("h"), "/items/12/x"));
    CHECK_FALSE(matches(regex, request("h"), "/x/items/12"));
    CHECK_FALSE(matches({.path_regex = ".*"}, request("h"), "*"));
    CHECK_THROWS_AS(Router({with({.path_regex = "("})}), std::invalid_argument);
}

TEST_CASE("hosts are compared without case, port and trailing dot") {
    const Match exact{.host = "www.example.com"};
    for (const char* host : {"www.example.com", "WWW.Example.COM", "www.example.com:8080",
                             "www.example.com.", "www.example.com.:80"}) {
        CAPTURE(host);
        CHECK(matches(exact, request(host)));
    }
    for (const char* host : {"", "example.com", "a.www.example.com", "www.example.com..", "com"}) {
        CAPTURE(host);
        CHECK_FALSE(matches(exact, request(host)));
    }
    const Match wildcard{.host = "*.example.com"};
    for (const char* host : {"a.example.com", "a.b.example.com", "A.EXAMPLE.COM.:1"}) {
        CAPTURE(host);
        CHECK(matches(wildcard, request(host)));
    }
    for (const char* host : {"example.com", ".example.com", "aexample.com", "example.com.evil"}) {
        CAPTURE(host);
        CHECK_FALSE(matches(wildcard, request(host)));
    }
    CHECK(matches({.host = "[::1]"}, request("[::1]:8080")));
    CHECK(matches({.host = "::1"}, request("[::1]")));
    CHECK_FALSE(matches(exact, request(std::string(300, 'a'))));
    CHECK(matches({}, request(std::string(300, 'a'))));
}

TEST_CASE("listener, methods, headers and query must all agree") {
    RequestHead head = request("h", "v=2&w");
    head.fields.add("x-beta", "0");
    head.fields.add("X-Beta", "1");
    head.fields.add("Accept", "text/html");

    CHECK(matches({.listener = "plain"}, head));
    CHECK_FALSE(matches({.listener = "tls"}, head));
    CHECK(matches({.methods = {"HEAD", "GET"}}, head));
    CHECK_FALSE(matches({.methods = {"HEAD", "get"}}, head));
    CHECK(matches({.headers = {{"X-BETA", "1"}, {"accept", "text/html"}}}, head));
    CHECK_FALSE(matches({.headers = {{"X-Beta", "1"}, {"Accept", "text"}}}, head));
    CHECK_FALSE(matches({.headers = {{"X-Bet", "1"}}}, head));
    CHECK(matches({.query = {{"v", "2"}, {"w", ""}}}, head));
    CHECK_FALSE(matches({.query = {{"v", "2"}, {"w", "1"}}}, head));
}

TEST_CASE("a query parameter is decoded once and its first occurrence counts") {
    CHECK(query_has("v=2", "v", "2"));
    CHECK(query_has("a=1&v=2&v=3", "v", "2"));
    CHECK_FALSE(query_has("a=1&v=2&v=3", "v", "3"));
    CHECK(query_has("%76=%32", "v", "2"));
    CHECK(query_has("q=a+b%20c", "q", "a b c"));
    CHECK(query_has("q=%2541", "q", "%41"));
    CHECK(query_has("q=%zz%4", "q", "%zz%4"));
    CHECK(query_has("&&v", "v", ""));
    CHECK(query_has("v=a=b", "v", "a=b"));
    CHECK(query_has("=x", "", "x"));
    CHECK_FALSE(query_has("", "v", ""));
    CHECK_FALSE(query_has("vv=2", "v", "2"));
    CHECK_FALSE(query_has("v=22", "v", "2"));
    CHECK_FALSE(query_has("v=", "v", "2"));
    CHECK_FALSE(query_has("a;v=2", "v", "2"));
}

TEST_CASE("hostile hosts and paths end the walk early") {
    const Router router({with({.host = "*.example.com", .path_prefix = "/a/b"})});
    CHECK(found(router, "a.example.com", "/a/b" + std::string(8000, '/')) == 0);
    CHECK(found(router, "a.example.com", std::string(8000, '/')) == -1);
    std::string host;
    while (host.size() < 240)
        host += "a.";
    CHECK(found(router, host + "example.com", "/a/b") == 0);
    CHECK(found(router, host, "/a/b") == -1);
    CHECK(found(router, ":", "/a/b") == -1);
    CHECK(found(router, "[", "/a/b") == -1);
}
