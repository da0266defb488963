// The small languages inside scalars, and the words about slips in them.
#include "config/scalars.hpp"

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "config/environment.hpp"
#include "config/suggest.hpp"
#include "config/text_check.hpp"
#include "core/limits.hpp"

namespace scrollgate::config {

using namespace std::chrono_literals;

TEST_CASE("durations are whole numbers with falling units") {
    CHECK(parse_duration("250ms").value == 250ms);
    CHECK(parse_duration("1h30m").value == 90min);
    CHECK(parse_duration("1d2h3m4s5ms").value == 26h + 3min + 4s + 5ms);
    CHECK(parse_duration("0").value == 0s);
    CHECK(parse_duration("365d").value == 365 * 24h);
    for (const char* bad : {"", "s", "5", "1m1m", "1s1h", "1.5s", "-1s", "1e3s", " 1s", "1s ",
                            "1 s", "366d", "365d1ms", "18446744073709551616s", "5S5s"})
        CHECK_MESSAGE(!parse_duration(bad).value, bad);
}

TEST_CASE("a number without a unit is refused with what to write") {
    CHECK(parse_duration("5").wrong == "'5' has no unit; write 5s or 500ms");
    CHECK(parse_size("65536").wrong == "'65536' has no unit; write 64KiB");
    CHECK(parse_size("8").wrong == "'8' has no unit; write 8KiB or 8B");
    CHECK(parse_percent("20").wrong == "'20' has no unit; write 20%");
}

TEST_CASE("sizes have binary and decimal units") {
    CHECK(parse_size("64KiB").value == 65536);
    CHECK(parse_size("10MB").value == 10'000'000);
    CHECK(parse_size("1TiB").value == 1ULL << 40);
    CHECK(parse_size("0").value == 0);
    CHECK(parse_size("12B").value == 12);
    for (const char* bad : {"", "KiB", "8k", "8Kib", "1.5GiB", "-1B", "8 KiB", "1025TiB",
                            "99999999999999999999B", "8KiB8B"})
        CHECK_MESSAGE(!parse_size(bad).value, bad);
}

TEST_CASE("what is written for a duration or size reads back as the same value") {
    for (const Duration value :
         {Duration(1ms), Duration(1500ms), Duration(60s), Duration(75s), Duration(2min),
          Duration(90min), Duration(1h), Duration(365 * 24h)})
        CHECK(parse_duration(duration_text(value)).value == value);
    for (const std::uint64_t value :
         {0ULL, 1ULL, 1000ULL, 1024ULL, 32768ULL, 10'000'000ULL, 1ULL << 50})
        CHECK(parse_size(size_text(value)).value == value);
    CHECK(duration_text(60s) == "60s");
    CHECK(duration_text(120s) == "2m");
    CHECK(duration_text(no_limit) == "none");
    CHECK(size_text(limits::unlimited) == "none");
}

TEST_CASE("counts, percentages and switches keep to their ranges") {
    CHECK(parse_count("10", 10, 20).value == 10);
    CHECK(parse_count("20", 10, 20).value == 20);
    for (const char* bad :
         {"", "9", "21", "+10", "0x10", "1e1", "10 ", "ten", "18446744073709551626"})
        CHECK_MESSAGE(!parse_count(bad, 10, 20).value, bad);
    CHECK(parse_percent("0%").value == 0);
    CHECK(parse_percent("100%").value == 100);
    for (const char* bad : {"101%", "%", "5", "5%%", "-1%"})
        CHECK_FALSE(parse_percent(bad).value);
    CHECK(parse_switch("on").value == true);
    CHECK(parse_switch("no").value == false);
    CHECK_FALSE(parse_switch("True").value);
}

TEST_CASE("variables are replaced once, and never inside their own values") {
    setenv("SCROLLGATE_TEST_A", "a ${SCROLLGATE_TEST_B} [", 1);
    setenv("SCROLLGATE_TEST_EMPTY", "", 1);
    unsetenv("SCROLLGATE_TEST_B");
    CHECK(expand_variables("<${SCROLLGATE_TEST_A}>").value == "<a ${SCROLLGATE_TEST_B} [>");
    CHECK(expand_variables("${SCROLLGATE_TEST_B:-x y}${SCROLLGATE_TEST_EMPTY:-z}").value == "x yz");
    CHECK(expand_variables("${SCROLLGATE_TEST_EMPTY}").value == "");
    CHECK(expand_variables("a$b $${SCROLLGATE_TEST_B} $").value == "a$b ${SCROLLGATE_TEST_B} $");
    CHECK(expand_variables("${SCROLLGATE_TEST_B}").wrong.find("SCROLLGATE_TEST_B is not set") ==
          25);
    for (const char* bad : {"${", "${}", "${A B}", "${SCROLLGATE_TEST_B-x}", "${9}", "${A:-${B}}"})
        CHECK_MESSAGE(!expand_variables(bad).value, bad);
    setenv("SCROLLGATE_TEST_A", "\xff", 1);
    CHECK_FALSE(expand_variables("${SCROLLGATE_TEST_A}").value);
}

TEST_CASE("text that looks like a variable survives being written and read") {
    for (const char* text : {"${A}", "$${A}", "$$${A}", "$", "${", "a${b}${c}$"})
        CHECK_MESSAGE(expand_variables(escape_variables(text)).value == text, text);
}

TEST_CASE("a swap of neighbours is one edit") {
    CHECK(edit_distance("abc", "abc") == 0);
    CHECK(edit_distance("abc", "acb") == 1);
    CHECK(edit_distance("conect", "connect") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance(std::string(65, 'a'), "a") == no_slip);
}

TEST_CASE("only near words are suggested") {
    CHECK(closest("lsiteners", {"limits", "listeners", "routes"}) == "listeners");
    CHECK(closest("header-Bytes", {"header_bytes", "headers"}) == "header_bytes");
    CHECK(closest("zzz", {"limits", "to"}).empty());
    CHECK(closest("ab", {"to", "cd"}).empty());
    CHECK(either({"a", "b", "c"}) == "a, b or c");
}

TEST_CASE("UTF-8 is judged strictly") {
    CHECK(is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                            "\xe0\x80\x80", "\xf0\x80\x80\x80"})
        CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("long and odd values are shown shortened and visible") {
    CHECK(quoted("a\nb") == "'a\\x0ab'");
    const std::string shown = quoted(std::string(59, 'a') + "\xc3\xa9" + std::string(50, 'b'));
    CHECK(shown == "'" + std::string(59, 'a') + "…'");
}

}  // namespace scrollgate::config
