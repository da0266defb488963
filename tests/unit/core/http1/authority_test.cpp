// Which hosts and ports are taken.
#include "core/http1/authority.hpp"

#include <string>

#include <doctest/doctest.h>

using scrollgate::http1::valid_authority;
using scrollgate::http1::valid_host_and_port;

TEST_CASE("names, addresses and ports are taken") {
    for (const char* text :
         {"a", "a.example", "a.example.", "A_b-c.d", "127.0.0.1", "127.0.0.1:80", "a:1", "a:65535",
          "[::1]", "[::1]:8080", "[2001:db8::192.0.2.1]", "~a", "xn--bcher-kva.example"}) {
        CAPTURE(text);
        CHECK(valid_authority(text));
    }
    CHECK(valid_authority(std::string(255, 'a')));
}

TEST_CASE("what two parsers could read differently is refused") {
    for (const char* text :
         {"",       ":80",       "a:",      "a:0",  "a:080", "a:65536",  "a:99999", "a:123456",
          "a:8x",   "a:-1",      "a:80:90", "a b",  " a",    "a,b",      "u@a",     "a/b",
          "a?b",    "a#b",       "a%41",    "a\\b", "a\"b",  ".",        ".a",      "a..b",
          "..",     "[",         "[]",      "[::1", "::1",   "[::1]x",   "[::1]:",  "[::1%25eth0]",
          "[v1.a]", "[1.2.3.4]", "[::g]",   "a]",   "a[b]",  "\xc3\xa4", "a\tb",    "<a>"}) {
        CAPTURE(text);
        CHECK_FALSE(valid_authority(text));
    }
    CHECK_FALSE(valid_authority(std::string(256, 'a')));
    CHECK_FALSE(valid_authority(std::string("[::1\0]", 6)));
}

TEST_CASE("the target of CONNECT has a port") {
    CHECK(valid_host_and_port("a:443"));
    CHECK(valid_host_and_port("[::1]:443"));
    CHECK_FALSE(valid_host_and_port("a"));
    CHECK_FALSE(valid_host_and_port("[::1]"));
}
