// How figures are written and read, at the edges where the unit or the number of digits changes.
#include <limits>

#include <doctest/doctest.h>

#include "bench/report/duration_text.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

TEST_CASE("durations have three digits in the unit that suits") {
    CHECK(duration_text(0ns) == "0");
    CHECK(duration_text(7ns) == "7ns");
    CHECK(duration_text(999ns) == "999ns");
    CHECK(duration_text(1'000ns) == "1.00us");
    CHECK(duration_text(9'994ns) == "9.99us");
    CHECK(duration_text(9'995ns) == "10.0us");
    CHECK(duration_text(812'300ns) == "812us");
    CHECK(duration_text(999'499ns) == "999us");
    CHECK(duration_text(999'500ns) == "1.00ms");
    CHECK(duration_text(1'240us) == "1.24ms");
    CHECK(duration_text(61'250us) == "61.2ms");
    CHECK(duration_text(2'310ms) == "2.31s");
    CHECK(duration_text(30s) == "30.0s");
    CHECK(duration_text(119s) == "119s");
    CHECK(duration_text(120s) == "2m00s");
    CHECK(duration_text(125'600ms) == "2m06s");
    CHECK(duration_text(59min + 59s + 499ms) == "59m59s");
    CHECK(duration_text(59min + 59s + 500ms) == "1h00m");
    CHECK(duration_text(3h + 7min) == "3h07m");
    CHECK(duration_text(-5ms) == "-5.00ms");
    CHECK(duration_text(Duration::min()).front() == '-');
}

TEST_CASE("clocks go on without rounding up") {
    CHECK(clock_text(0ns) == "0s");
    CHECK(clock_text(999ms) == "0s");
    CHECK(clock_text(59'999ms) == "59s");
    CHECK(clock_text(59'999ms, 1) == "59.9s");
    CHECK(clock_text(3s, 1) == "3.0s");
    CHECK(clock_text(125'900ms, 1) == "2m05s");
}

TEST_CASE("rates, sizes, counts and shares") {
    CHECK(rate_text(0) == "0/s");
    CHECK(rate_text(-1) == "0/s");
    CHECK(rate_text(std::numeric_limits<double>::quiet_NaN()) == "0/s");
    CHECK(rate_text(std::numeric_limits<double>::infinity()) == "0/s");
    CHECK(rate_text(0.001) == "<0.01/s");
    CHECK(rate_text(0.25) == "0.25/s");
    CHECK(rate_text(500) == "500/s");
    CHECK(rate_text(812.4) == "812/s");
    CHECK(rate_text(20'000) == "20.0k/s");
    CHECK(rate_text(999'500) == "1.00M/s");
    CHECK(bytes_text(0) == "0 B");
    CHECK(bytes_text(812) == "812 B");
    CHECK(bytes_text(1270) == "1.24 KiB");
    CHECK(bytes_text(64.0 * 1024 * 1024) == "64.0 MiB");
    CHECK(bytes_text(1e18) == "909495 TiB");
    CHECK(count_text(0) == "0");
    CHECK(count_text(999) == "999");
    CHECK(count_text(1'000) == "1,000");
    CHECK(count_text(1'234'567) == "1,234,567");
    CHECK(count_text(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
    CHECK(share_text(0, 0) == "0%");
    CHECK(share_text(0, 9) == "0%");
    CHECK(share_text(9, 9) == "100%");
    CHECK(share_text(1, 8) == "12.5%");
    CHECK(share_text(1, 80) == "1.25%");
    CHECK(share_text(1, 1'000'000) == "<0.01%");
    CHECK(share_text(9'995, 10'000) == "99.95%");
    CHECK(share_text(999'999, 1'000'000) == ">99.99%");
}

TEST_CASE("durations that are read") {
    CHECK(parse_duration("0") == 0ns);
    CHECK(parse_duration("50ms") == 50ms);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("200us") == 200us);
    CHECK(parse_duration("7ns") == 7ns);
    CHECK(parse_duration("2m") == 2min);
    CHECK(parse_duration("1h") == 1h);
    CHECK(parse_duration("1m30s") == 90s);
    CHECK(parse_duration("1h0.5s") == 1h + 500ms);
    CHECK(parse_duration("0.1s") == 100ms);
    CHECK(parse_duration("8760h") == 8760h);
    for (const char* bad : {"",
                            "50",
                            "1.5",
                            "ms",
                            "s",
                            "-5ms",
                            "+5ms",
                            " 5ms",
                            "5ms ",
                            "5 ms",
                            "5msec",
                            "5S",
                            "1s1h",
                            "1s1s",
                            ".5s",
                            "5.s",
                            "1..5s",
                            "1e3ms",
                            "infs",
                            "nans",
                            "0x5ms",
                            "8761h",
                            "99999999999999999999h",
                            "1e999s",
                            "5ms,"}) {
        CAPTURE(std::string(bad));
        CHECK_FALSE(parse_duration(bad).has_value());
        const std::string line = not_a_duration(bad);
        CHECK(line.find(bad) != line.npos);
        CHECK(line.find('\n') == line.npos);
    }
    CHECK(not_a_duration("50") == "'50' has no unit; write 50ms or 50s");
    CHECK(not_a_duration("soon") ==
          "'soon' is not a duration; write for example 200us, 50ms, 1.5s or 1m30s");
}
