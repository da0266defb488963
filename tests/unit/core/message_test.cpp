// Methods, versions, reason phrases, and heads that are used again.
#include "core/message.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("methods are known by their exact text") {
    const std::pair<const char*, Method> known[] = {
        {"GET", Method::get},        {"HEAD", Method::head},       {"POST", Method::post},
        {"PUT", Method::put},        {"PATCH", Method::patch},     {"TRACE", Method::trace},
        {"DELETE", Method::delete_}, {"OPTIONS", Method::options}, {"CONNECT", Method::connect},
    };
    for (const auto& [text, method] : known)
        CHECK(method_from(text) == method);
    for (const char* text : {"", "get", "GETS", "PURGE", "Post", "DELETED", "PROPFIND"}) {
        CHECK(method_from(text) == Method::other);
    }
}

TEST_CASE("safe methods are idempotent, and so are PUT and DELETE") {
    for (const Method method : {Method::get, Method::head, Method::options, Method::trace}) {
        CHECK(is_safe(method));
        CHECK(is_idempotent(method));
    }
    for (const Method method : {Method::put, Method::delete_}) {
        CHECK_FALSE(is_safe(method));
        CHECK(is_idempotent(method));
    }
    for (const Method method : {Method::post, Method::patch, Method::connect, Method::other}) {
        CHECK_FALSE(is_idempotent(method));
    }
}

TEST_CASE("versions and statuses have their words") {
    CHECK(version_text(Version::http10) == "1.0");
    CHECK(version_text(Version::http11) == "1.1");
    CHECK(version_text(Version::http2) == "2");
    CHECK(reason_phrase(100) == "Continue");
    CHECK(reason_phrase(200) == "OK");
    CHECK(reason_phrase(404) == "Not Found");
    CHECK(reason_phrase(508) == "Loop Detected");
    CHECK(reason_phrase(511) == "Network Authentication Required");
    for (const unsigned status : {0U, 99U, 299U, 418U, 512U, 999U}) {
        CHECK(reason_phrase(static_cast<std::uint16_t>(status)) == "Unknown");
    }
}

TEST_CASE("a cleared head is as new") {
    RequestHead request;
    request.method = Method::post;
    request.version = Version::http10;
    request.form = TargetForm::absolute;
    request.method_text = request.target = request.scheme = request.authority = "x";
    request.path = request.query = "x";
    request.has_query = true;
    request.body = {BodyFraming::Kind::length, 3};
    request.fields.add("A", "b");
    request.clear();
    CHECK(request.method == Method::get);
    CHECK(request.version == Version::http11);
    CHECK(request.form == TargetForm::origin);
    CHECK((request.method_text.empty() && request.target.empty() && request.scheme.empty()));
    CHECK((request.authority.empty() && request.path.empty() && request.query.empty()));
    CHECK_FALSE(request.has_query);
    CHECK_FALSE(request.body.has_body());
    CHECK(request.fields.empty());

    ResponseHead response;
    response.status = 200;
    response.version = Version::http10;
    response.reason = "OK";
    response.body = {BodyFraming::Kind::chunked};
    response.fields.add("A", "b");
    response.clear();
    CHECK(response.status == 0);
    CHECK(response.version == Version::http11);
    CHECK(response.reason.empty());
    CHECK_FALSE(response.body.has_body());
    CHECK(response.fields.empty());
}
