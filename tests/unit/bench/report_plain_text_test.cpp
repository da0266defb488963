// Hostile bytes in text that is shown.
#include <doctest/doctest.h>

#include "bench/report/plain_text.hpp"

using namespace scrollgate::bench;

TEST_CASE("bytes that are no UTF-8 are replaced one by one") {
    CHECK(valid_utf8("plain") == "plain");
    CHECK(valid_utf8("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") ==
          "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    const std::string bad = "\xEF\xBF\xBD";
    CHECK(valid_utf8("a\xFFz") == "a" + bad + "z");
    CHECK(valid_utf8("\x80") == bad);
    CHECK(valid_utf8("\xC3") == bad);                                // cut off
    CHECK(valid_utf8("\xC3(") == bad + "(");                         // not continued
    CHECK(valid_utf8("\xC0\xAF") == bad + bad);                      // not the shortest form
    CHECK(valid_utf8("\xE0\x80\xAF") == bad + bad + bad);            // likewise
    CHECK(valid_utf8("\xED\xA0\x80") == bad + bad + bad);            // a surrogate
    CHECK(valid_utf8("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
    CHECK(valid_utf8("\xE2\x82") == bad + bad);
    CHECK(valid_utf8(std::string_view("a\0b", 3)) == std::string_view("a\0b", 3));
}

TEST_CASE("nothing that a terminal obeys is left") {
    const std::string bad = "\xEF\xBF\xBD";
    CHECK(printable("\x1b[2J") == bad + "[2J");
    CHECK(printable("a\r\nb\tc\x7f") == "a" + bad + bad + "b" + bad + "c" + bad);
    CHECK(printable("\xC2\x9B"
                    "31m") == bad + "31m");  // CSI in one character
    CHECK(printable("\xE2\x80\xAE"
                    "txt.exe") == bad + "txt.exe");  // right to left
    CHECK(printable("caf\xC3\xA9") == "caf\xC3\xA9");
}

TEST_CASE("widths in characters") {
    CHECK(columns_of("") == 0);
    CHECK(columns_of("a\xC3\xA9\xE2\x82\xAC") == 3);
    CHECK(cut("a\xC3\xA9z", 2) == "a\xC3\xA9");
    CHECK(cut("abc", 0).empty());
    CHECK(cut("abc", 9) == "abc");
    CHECK(shorten("abcdef", 6) == "abcdef");
    CHECK(shorten("abcdefghij", 7) == "abcd…ij");
    CHECK(shorten("abcdefghij", 1) == "…");
    CHECK(shorten("abcdefghij", 0).empty());
    CHECK(columns_of(shorten("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 5)) == 5);
}
