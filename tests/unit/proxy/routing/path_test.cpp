// The tricks that are played with paths, by kind, and what must hold for any path.
#include "proxy/routing/path.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"

using namespace scrollgate;

namespace {

/// The normalised path, or "!" if it is refused.
std::string normal(std::string_view path) {
    std::string storage;
    const auto result = normalise_path(path, storage);
    if (result.has_error()) {
        CHECK(result.error().kind == ErrorKind::bad_path);
        return "!";
    }
    return std::string(*result);
}

using Cases = std::vector<std::pair<std::string_view, std::string_view>>;

void check_all(const Cases& cases) {
    for (const auto& [path, expected] : cases) {
        CAPTURE(path);
        CHECK(normal(path) == expected);
    }
}

}  // namespace

TEST_CASE("a path with nothing to change is returned itself, without a copy") {
    for (const std::string_view path :
         {"/", "/a", "/a/b.html", "/.well-known/x", "/a//b", "//a", "/...", "/a/..b/.c", "/a%20b",
          "/caf%C3%A9", "/a%2Fb", "/a;v=1/b", "/a,b:c@d!$&'()*+=", "/a|b{c}", "*"}) {
        CAPTURE(path);
        std::string storage;
        const auto result = normalise_path(path, storage);
        REQUIRE(result.has_value());
        CHECK(result->data() == path.data());
        CHECK(*result == path);
        CHECK(storage.empty());
    }
}

TEST_CASE("dot segments are removed, in every spelling, and clamped at the root") {
    check_all({
        {"/.", "/"},
        {"/..", "/"},
        {"/./", "/"},
        {"/a/.", "/a/"},
        {"/a/..", "/"},
        {"/a/b/..", "/a/"},
        {"/a/b/../", "/a/"},
        {"/a/./b", "/a/b"},
        {"/a/b/../c", "/a/c"},
        {"/a/../../../etc", "/etc"},
        {"/a/%2e%2e/b", "/b"},
        {"/a/.%2E/b", "/b"},
        {"/a/%2E./b", "/b"},
        {"/a/%2e/b", "/a/b"},
        {"/a/b/c/./../../g", "/a/g"},
        {"/a/.../b/..", "/a/.../"},
    });
}

TEST_CASE("duplicate slashes stay, but removal never brings two of them to the front") {
    check_all({
        {"/a//b/../c", "/a//c"},
        {"/a//../b", "/a/b"},
        {"/a/..//evil.example", "/evil.example"},
        {"/.//evil.example", "/evil.example"},
        {"/..////evil.example", "/evil.example"},
        {"/a/..//", "/"},
        {"/a/b/..//c", "/a//c"},
        {"//a/./b", "//a/b"},
    });
}

TEST_CASE("unreserved characters are decoded once and other escapes get upper-case hex") {
    check_all({
        {"/%41%7e%2D", "/A~-"},
        {"/%61bc", "/abc"},
        {"/a%3ab", "/a%3Ab"},
        {"/%c3%a9", "/%C3%A9"},
        {"/%252e%252e/", "/%252e%252e/"},
        {"/%252E/%2e/x", "/%252E/x"},
        {"/%25%32%46", "/%252F"},
        {"/%c0%ae%c0%ae/", "/%C0%AE%C0%AE/"},
        {"/%0d%0a", "/%0D%0A"},
        {"/a%2fb", "/a%2Fb"},
        {"", "/"},
    });
}

TEST_CASE("what two readers could read differently is refused") {
    using namespace std::string_view_literals;
    for (const std::string_view path :
         {"a"sv,           "**"sv,        "/a\0b"sv,     "/%00"sv,
          "/a%00.html"sv,  "/a\\b"sv,     "/a%5cb"sv,    "/a%5C..%5c"sv,
          "/%"sv,          "/%4"sv,       "/%zz"sv,      "/%%341"sv,
          "/% 1"sv,        "/a b"sv,      "/a\tb"sv,     "/a\r\nb"sv,
          "/\x7f"sv,       "/\xc3\xa9"sv, "/a#b"sv,      "/a?b"sv,
          "/a%2fb/../c"sv, "/a%2F.."sv,   "/..%2fa"sv,   "/a%2f%2e%2e/b"sv,
          "/a%2F./b"sv,    "/x/..;/y"sv,  "/x/..;a=b"sv, "/.;/y"sv,
          "/%2e%2e;/y"sv,  "/..%3b/y"sv}) {
        CAPTURE(path);
        CHECK(normal(path) == "!");
    }
}

TEST_CASE("normalising is idempotent and leaves no dot segment, for random paths") {
    constexpr std::array pieces{"/",   "/",   ".",   "..",  "a", "%2e", "%2E", "%41", "%20", "%c3",
                                "%25", "%2f", "%5c", "%00", ";", "//",  "2e",  "2f",  "%3B", "/.."};
    FastRng rng(2);
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string path = "/";
        for (auto count = rng.below(9); count > 0; --count)
            path += pieces[rng.below(pieces.size())];
        CAPTURE(path);
        const std::string once = normal(path);
        if (once == "!") continue;
        ++accepted;
        REQUIRE(normal(once) == once);
        REQUIRE(once.front() == '/');
        REQUIRE((!once.starts_with("//") || path.starts_with("//")));
        const std::string framed = once + "/";
        REQUIRE(framed.find("/./") == std::string::npos);
        REQUIRE(framed.find("/../") == std::string::npos);
    }
    CHECK(accepted > 10'000);
}
