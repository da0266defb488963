// Rewrites, header rules and redirects: what they do, and what a client cannot make of them.
#include "proxy/routing/transform.hpp"

#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

std::string rewritten(const config::Rewrite& rewrite, std::string_view path) {
    std::string storage;
    const auto result = PathRewrite(rewrite).apply(path, storage);
    return result.has_value() ? std::string(*result) : "!";
}
config::Rewrite strip(std::string prefix) {
    config::Rewrite rewrite;
    rewrite.strip_prefix = std::move(prefix);
    return rewrite;
}
config::Rewrite replace(std::string regex, std::string to) {
    config::Rewrite rewrite;
    rewrite.regex = std::move(regex);
    rewrite.to = std::move(to);
    return rewrite;
}

std::string location(std::string to, std::string_view path, std::string_view query = {},
                     std::string_view authority = "www.example.com:8080") {
    RequestHead head;
    head.authority = authority;
    head.path = path;
    head.query = query;
    head.has_query = !query.empty();
    return redirect_location({std::move(to), 308}, "http", head);
}

std::string text_of(const HeaderList& fields) {
    std::string text;
    for (const HeaderField& field : fields) {
        text.append(field.name).append("=").append(field.value).append(";");
    }
    return text;
}

}  // namespace

TEST_CASE("strip_prefix takes whole segments off the front") {
    CHECK(rewritten(strip("/metadata"), "/metadata/7") == "/7");
    CHECK(rewritten(strip("/metadata"), "/metadata") == "/");
    CHECK(rewritten(strip("/metadata"), "/metadata/") == "/");
    CHECK(rewritten(strip("/metadata/"), "/metadata/7") == "/7");
    CHECK(rewritten(strip("/metadata"), "/metadata2/7") == "/metadata2/7");
    CHECK(rewritten(strip("/metadata"), "/x/metadata/7") == "/x/metadata/7");
    CHECK(rewritten(strip("/%7euser"), "/~user/x") == "/x");
    CHECK(rewritten(strip("/"), "/x") == "/x");
    CHECK(rewritten(strip("/a"), "/a//evil.example/x") == "/evil.example/x");
}

TEST_CASE("strip_prefix copies nothing") {
    const std::string path = "/metadata/7";
    std::string storage;
    const auto result = PathRewrite(strip("/metadata")).apply(path, storage);
    CHECK(result->data() == path.data() + 9);
    CHECK(storage.empty());
}

TEST_CASE("a regex replaces its first match, with groups") {
    CHECK(rewritten(replace("^/old/(.*)$", "/new/\\1"), "/old/a/b") == "/new/a/b");
    CHECK(rewritten(replace("^/(\\w+)/(\\w+)", "/\\2/\\1"), "/a/b/c") == "/b/a/c");
    CHECK(rewritten(replace("b", "X"), "/a/b/b") == "/a/X/b");
    CHECK(rewritten(replace("(b)", "<\\0>"), "/b") == "/<b>");
    CHECK(rewritten(replace("^/nothing", "/x"), "/a") == "/a");
    CHECK(rewritten(replace("^/.*", ""), "/a/b") == "/");
    CHECK(rewritten(replace("^/a/", "b/"), "/a/c") == "/b/c");
    CHECK(rewritten(replace("^/(q)?x", "/\\1y"), "/x") == "/y");
}

TEST_CASE("a rewrite cannot make dot segments, a host, or a path that would be refused") {
    CHECK(rewritten(replace("^/x/(.*)-(.*)$", "/\\1\\2"), "/x/a/.-./b") == "/b");
    CHECK(rewritten(replace("^/x", ""), "/x//evil.example") == "/evil.example");
    CHECK(rewritten(replace("^/x(.*)-", "/\\1"), "/x..-;/a") == "!");
    CHECK(rewritten(replace("-", ""), "/%0-0") == "!");
}

TEST_CASE("a rewrite that cannot work is refused when it is built") {
    CHECK_THROWS_AS(PathRewrite(replace("(", "/")), std::invalid_argument);
    CHECK_THROWS_AS(PathRewrite(replace("a(b)", "/\\2")), std::invalid_argument);
    CHECK_THROWS_AS(PathRewrite(replace("a", "/b?c=1")), std::invalid_argument);
    CHECK_THROWS_AS(PathRewrite(replace("a", "/b c")), std::invalid_argument);
    CHECK_THROWS_AS(PathRewrite(replace("a", "/b\r\n")), std::invalid_argument);
}

TEST_CASE("header rules remove, then set, then add") {
    config::HeaderRules rules;
    rules.remove = {"x-gone", "X-Again"};
    rules.set = {{"Accept", "text/html"}, {"X-New", "1"}};
    rules.add = {{"X-Again", "2"}, {"X-New", "3"}};
    HeaderList fields;
    fields.add("Host", "h");
    fields.add("X-Gone", "1");
    fields.add("accept", "a");
    fields.add("x-again", "1");
    fields.add("ACCEPT", "b");
    apply(rules, fields);
    CHECK(text_of(fields) == "Host=h;Accept=text/html;X-New=1;X-Again=2;X-New=3;");
    CHECK(fields.count(Field::accept) == 1);
}

TEST_CASE("a redirect fills its placeholders in") {
    CHECK(location("https://{host}{uri}", "/a/b", "x=1") == "https://www.example.com/a/b?x=1");
    CHECK(location("https://{host}{uri}", "/a/b") == "https://www.example.com/a/b");
    CHECK(location("{scheme}://new.example{path}?from={query}", "/a", "q=2") ==
          "http://new.example/a?from=q=2");
    CHECK(location("https://{host}/", "/", "", "[2001:db8::1]:80") == "https://[2001:db8::1]/");
    CHECK(location("/fixed", "/a") == "/fixed");
    CHECK(location("/{other}/{unclosed", "/a") == "/{other}/{unclosed");
    CHECK(location("{{path}}", "/a") == "{/a}");
    CHECK(location("https://h{path}", "*") == "https://h/");
    CHECK(location("", "/a").empty());
}

TEST_CASE("a redirect's values cannot inject fields or lead to another host") {
    CHECK(location("/x{path}", "/a\r\nSet-Cookie: b") == "/x/a%0D%0ASet-Cookie:%20b");
    CHECK(location("{path}", "//evil.example/x") == "/evil.example/x");
    CHECK(location("{uri}", "///evil.example", "a=1") == "/evil.example?a=1");
    CHECK(location("/{path}", "/evil.example") == "/evil.example");
    CHECK(location("{path}", "/\\evil.example") == "/%5Cevil.example");
    CHECK(location("//cdn.example{path}", "/a") == "//cdn.example/a");
    CHECK(location("https://{host}/", "/", "", "a\"<b>") == "https://a%22%3Cb%3E/");
}
