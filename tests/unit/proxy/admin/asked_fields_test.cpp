// Fields that a question to explain brings are those of a request, or refused by name.
#include "proxy/admin/asked_fields.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"

using namespace scrollgate;

TEST_CASE("a header is a name, a colon and a value") {
    const AskedFields asked = asked_fields({"Accept-Encoding: br, gzip", "X-A:", "cookie:  a=b "});
    CHECK(asked.wrong.empty());
    CHECK(asked.fields.value(Field::accept_encoding) == "br, gzip");
    CHECK(asked.fields.value(Field::cookie) == "a=b");
    REQUIRE(asked.fields.find("x-a") != nullptr);
    CHECK(asked.fields.find("x-a")->value.empty());
    CHECK(asked_fields({}).wrong.empty());
}

TEST_CASE("what is no header is told") {
    CHECK(asked_fields({"nothing"}).wrong ==
          "'nothing' is not a header; write it as 'Name: value'");
    CHECK(asked_fields({"X-A: 1", ": 1"}).wrong.find("is not a header") != std::string::npos);
    CHECK(asked_fields({"a b: 1"}).wrong.find("is not a header") != std::string::npos);
    CHECK(asked_fields({"X-A: 1\r\nX-B: 2"}).wrong == "the value of X-A has a control character");
    CHECK(asked_fields({"HOST: b.example"}).wrong == "Host is part of the URL");
    CHECK(asked_fields({"X-A: " + std::string(limits::cache_key, 'a')}).wrong ==
          "the value of X-A is too long");
    CHECK(asked_fields(std::vector<std::string>(asked_fields_most, "a: b")).wrong.empty());
    CHECK(asked_fields(std::vector<std::string>(asked_fields_most + 1, "a: b")).wrong ==
          "more than 64 headers");
}
