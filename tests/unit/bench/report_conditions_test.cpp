// --fail-if: what is understood, what is refused and how, and when a run has failed.
#include <doctest/doctest.h>

#include "bench/report/conditions.hpp"
#include "tests/unit/bench/report_by_hand.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;

namespace {

bool holds(const Report& report, std::string_view text) {
    const ParsedCondition parsed = Condition::parse(text);
    REQUIRE_MESSAGE(parsed.condition.has_value(), parsed.problem);
    CHECK(parsed.problem.empty());
    CHECK(parsed.condition->text() == text);
    return parsed.condition->holds(report);
}

std::string problem_of(std::string_view text) {
    const ParsedCondition parsed = Condition::parse(text);
    CHECK_FALSE(parsed.condition.has_value());
    CHECK(parsed.problem.find('\n') == parsed.problem.npos);
    return parsed.problem;
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("conditions against a run whose figures are known") {
    const Report report = testing::open_loop();  // 1000 sent, 999 answered, 21 failed
    struct Row {
        const char* text;
        bool holds;
    };
    for (const Row& row : {
             Row{"p50>1ms", true},
             {"p50>2ms", false},
             {"p99>50ms", true},  // the ten that were delayed are 1% of 999, and no less
             {"p99 > 1.5s", false},
             {" p99 >= 1s ", true},
             {"p90<1ms", false},
             {"p999>=1s", true},
             {"p9999<=1s", true},
             {"max>1s", false},
             {"max>=1s", true},
             {"max<1s", false},
             {"mean>11ms", true},
             {"mean>12ms", false},
             {"errors>0", true},
             {"errors>20", true},
             {"errors>21", false},
             {"errors>2%", true},
             {"errors>2.1%", false},
             {"errors>=2.1%", true},
             {"timeout>0", true},
             {"timeout>1", false},
             {"unexpected_status>=20", true},
             {"refused>0", false},
             {"status_5xx>0", true},
             {"status_503>19", true},
             {"status_503>20", false},
             {"status_502>0", false},
             {"status_2xx<97.9%", false},
             {"status_2xx<98%", true},
             {"cache_hit<90%", false},  // 900 of 999
             {"cache_hit<90.1%", true},
             {"cache_miss>98", true},
             {"cache_miss>99", false},
             {"cache_bypass>0%", false},
             {"rate<100", true},
             {"rate<99.8", false},
             {"rate<1000/s", true},
             {"requests<1000", false},
             {"completed<1000", true},
             {"unsent>0", false},
         }) {
        CAPTURE(std::string(row.text));
        const ParsedCondition parsed = Condition::parse(row.text);
        REQUIRE_MESSAGE(parsed.condition.has_value(), parsed.problem);
        CHECK(parsed.condition->holds(report) == row.holds);
    }
}

TEST_CASE("what was measured is said in words") {
    const Report report = testing::open_loop();
    const auto measured = [&](std::string_view text) {
        return Condition::parse(text).condition.value().measured(report);
    };
    CHECK(measured("p99>50ms") == "p99 is 1.00s");
    CHECK(measured("errors>1%") == "errors is 21 (2.10%)");
    CHECK(measured("status_5xx>0") == "status_5xx is 20 (2.00%)");
    CHECK(measured("rate<1000") == "rate is 99.9/s");
    CHECK(measured("requests<5") == "requests is 1,000");
}

TEST_CASE("a run without a response has no latency that could have passed") {
    const Report report({"GET"}, std::chrono::seconds(1));
    CHECK(holds(report, "p99>50ms"));
    CHECK(holds(report, "max<50ms"));
    CHECK(holds(report, "rate<1"));
    CHECK(holds(report, "cache_hit<90%"));
    CHECK_FALSE(holds(report, "errors>0"));
    CHECK_FALSE(holds(report, "errors>1%"));
    CHECK(Condition::parse("p99>50ms").condition.value().measured(report) ==
          "p99 is not known: no response came");
}

TEST_CASE("conditions that are refused, in one line that helps") {
    CHECK(has(problem_of(""), "p99>50ms"));
    CHECK(has(problem_of("p99"), "MEASURE OPERATOR VALUE"));
    CHECK(has(problem_of("p98>50ms"), "'p98>50ms': unknown measure 'p98' (did you mean p9"));
    CHECK(has(problem_of("p98>50ms"), "known are p50 p90 p99 p999 p9999 max mean rate"));
    CHECK(has(problem_of("p99.9>50ms"), "did you mean p999?"));
    CHECK(has(problem_of("error>0"), "did you mean errors?"));
    CHECK(has(problem_of("cache-hit<90%"), "did you mean cache_hit?"));
    CHECK(has(problem_of("Timeouts>0"), "did you mean timeout?"));
    CHECK_FALSE(has(problem_of("flavour>0"), "did you mean"));
    CHECK_FALSE(has(problem_of(std::string(500, 'x') + ">0"), "did you mean"));
    CHECK(has(problem_of(">5"), "unknown measure ''"));
    for (const char* text : {"p99=50ms", "p99==50ms", "p99!=50ms", "p99=>50ms", "p99<>50ms"})
        CHECK(has(problem_of(text), "known are > >= < <="));
    CHECK(has(problem_of("p99>"), "a value is missing after p99"));
    CHECK(has(problem_of("p99>50"), "'50' has no unit; write 50ms or 50s"));
    CHECK(has(problem_of("p99>5%"), "'5%' is not a duration"));
    CHECK(has(problem_of("errors>1ms"), "neither a whole number nor a share"));
    CHECK(has(problem_of("errors>-1"), "neither"));
    CHECK(has(problem_of("errors>1.5"), "neither"));
    CHECK(has(problem_of("errors>101%"), "neither"));
    CHECK(has(problem_of("errors>%"), "neither"));
    CHECK(has(problem_of("rate<fast"), "'fast' is not a rate"));
    CHECK(has(problem_of("rate<5%"), "rate is not a share"));
    CHECK(has(problem_of("requests<5%"), "requests is not a share"));
    CHECK(has(problem_of("unsent>0.5"), "not a whole number"));
    for (const char* text : {"status_6xx>0", "status_20>0", "status_0200>0", "status_2x0>0",
                             "status_>0", "cache_warm>0", "statuses>0"})
        CHECK(has(problem_of(text), "unknown measure"));
    CHECK(problem_of("p\x1b[2J>5ms").find('\x1b') == std::string::npos);
}
