// What a demo origin answers to each of its paths.
#include "proxy/demo/site.hpp"

#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace scrollgate;
using demo::Answer;
using demo::FileShelf;
using demo::Site;

namespace {

http1::HttpRequest request(const std::string& method, const std::string& target) {
    http1::HttpRequest made;
    made.method = method;
    made.target = target;
    const std::size_t mark = target.find('?');
    made.path = target.substr(0, mark);
    made.query = mark == std::string::npos ? "" : target.substr(mark + 1);
    return made;
}

struct Origin {
    FileShelf files;
    Site site{"gcp", "us-central1", files};

    http1::HttpResponse get(const std::string& target) {
        return site.answer(request("GET", target)).response;
    }
};

std::string field(const http1::HttpResponse& response, std::string_view name) {
    return std::string(http1::find_header(response.headers, name));
}

}  // namespace

TEST_CASE("every answer says which cloud gave it") {
    Origin origin;
    for (const char* target : {"/", "/healthz", "/nothing", "/status/500", "/files/1k.bin"}) {
        CHECK(field(origin.get(target), "X-Cloud") == "gcp");
    }
}

TEST_CASE("the welcome page is HTML that names the cloud and its region") {
    Origin origin;
    const http1::HttpResponse page = origin.get("/");
    CHECK(page.status == 200);
    CHECK(page.content_type == "text/html; charset=utf-8");
    CHECK(page.body.find("<b>gcp</b> (us-central1)") != std::string::npos);
    CHECK(page.body.find("{{") == std::string::npos);
}

TEST_CASE("metadata has a validator and is not sent again to who has it") {
    Origin origin;
    http1::HttpRequest again = request("GET", "/metadata/scrolls/7.json");
    const http1::HttpResponse first = origin.site.answer(again).response;
    CHECK(first.status == 200);
    CHECK(first.content_type == "application/json");
    CHECK(boost::json::parse(first.body).at("name") == "scrolls #7");
    CHECK_FALSE(field(first, "Cache-Control").empty());
    CHECK_FALSE(field(first, "Last-Modified").empty());

    again.headers = {{"If-None-Match", field(first, "ETag")}};
    const http1::HttpResponse second = origin.site.answer(again).response;
    CHECK(second.status == 304);
    CHECK(second.body.empty());
    CHECK(field(second, "ETag") == field(first, "ETag"));
}

TEST_CASE("odd metadata paths are not found") {
    Origin origin;
    for (const char* target : {"/metadata/", "/metadata/a.json", "/metadata/a/.json",
                               "/metadata//1.json", "/metadata/a/b/1.json", "/metadata/a/1.xml"}) {
        CAPTURE(target);
        CHECK(origin.get(target).status == 404);
    }
}

TEST_CASE("files have their sizes, the same bytes from every cloud, and are kept") {
    Origin one, other;
    const std::pair<const char*, std::size_t> expected[] = {{"/files/1k.bin", 1024},
                                                            {"/files/16k.bin", 16 * 1024},
                                                            {"/files/100k.bin", 100 * 1024},
                                                            {"/files/1m.bin", 1024 * 1024},
                                                            {"/files/10m.bin", 10 * 1024 * 1024}};
    for (const auto& [target, size] : expected) {
        const http1::HttpResponse response = one.get(target);
        REQUIRE(response.shared_body);
        CHECK(response.shared_body->size() == size);
        CHECK(response.shared_body == one.get(target).shared_body);
        CHECK(*response.shared_body == *other.get(target).shared_body);
        CHECK_FALSE(field(response, "ETag").empty());
    }
    CHECK(one.get("/files/2k.bin").status == 404);
}

TEST_CASE("a slow answer takes as long as it was asked to") {
    Origin origin;
    CHECK(origin.site.answer(request("GET", "/slow?x=1&ms=750")).extra.count() == 750);
    CHECK(origin.site.answer(request("GET", "/slow")).extra.count() == 500);
    CHECK(origin.site.answer(request("GET", "/healthz")).extra.count() == 0);
    for (const char* target : {"/slow?ms=", "/slow?ms=-1", "/slow?ms=60001", "/slow?ms=1s"}) {
        CAPTURE(target);
        CHECK(origin.get(target).status == 400);
    }
}

TEST_CASE("the share of failures is exact") {
    Origin origin;
    int failed = 0;
    for (int i = 0; i < 100; ++i) {
        failed += origin.get("/fail?status=502&share=0.25").status == 502 ? 1 : 0;
    }
    CHECK(failed == 25);
    CHECK(origin.get("/fail").status == 503);
    CHECK(origin.get("/fail?share=0").status == 200);
    for (const char* target : {"/fail?status=200", "/fail?share=2", "/fail?share=nan"}) {
        CAPTURE(target);
        CHECK(origin.get(target).status == 400);
    }
}

TEST_CASE("any final status can be had, and no other") {
    Origin origin;
    CHECK(origin.get("/status/418").status == 418);
    CHECK(origin.get("/status/204").body.empty());
    CHECK(origin.get("/status/204").content_type.empty());
    for (const char* target : {"/status/", "/status/100", "/status/600", "/status/20x"}) {
        CAPTURE(target);
        CHECK(origin.get(target).status == 400);
    }
}

TEST_CASE("a request's head and body come back as they arrived") {
    Origin origin;
    http1::HttpRequest shown = request("DELETE", "/headers?a=%22");
    shown.headers = {{"Host", "x"}, {"X-Twice", "1"}, {"X-Twice", "\"2\""}};
    const auto json = boost::json::parse(origin.site.answer(shown).response.body);
    CHECK(json.at("method") == "DELETE");
    CHECK(json.at("target") == "/headers?a=%22");
    REQUIRE(json.at("headers").as_array().size() == 3);
    CHECK(json.at("headers").at(2).at("value") == "\"2\"");

    http1::HttpRequest posted = request("POST", "/echo");
    posted.body = std::string("\0bytes", 6);
    posted.headers = {{"content-type", "x/y"}};
    const http1::HttpResponse echo = origin.site.answer(posted).response;
    CHECK(echo.body == posted.body);
    CHECK(echo.content_type == "x/y");
}

TEST_CASE("methods that a page does not have are refused with what it has") {
    Origin origin;
    const http1::HttpResponse page = origin.site.answer(request("POST", "/")).response;
    CHECK(page.status == 405);
    CHECK(field(page, "Allow") == "GET, HEAD");
    CHECK(origin.get("/echo").status == 405);
}
