// What each step of a ramp got.
#include <doctest/doctest.h>

#include "bench/report/steps.hpp"
#include "tests/unit/bench/report_by_hand.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

TEST_CASE("each step has what came while it lasted") {
    const std::vector<StepResult> steps = steps_of(testing::ramp());
    REQUIRE(steps.size() == 3);
    CHECK(steps[0].achieved == doctest::Approx(100));
    CHECK(steps[1].achieved == doctest::Approx(200));
    CHECK(steps[2].achieved == doctest::Approx(225));
    CHECK(steps[2].wanted == 300);
    CHECK(steps[2].at == 2s);
    CHECK(steps[2].length == 1s);
    CHECK(steps[1].failed == 0);
    CHECK(steps[2].failed == 25);
    CHECK(steps[0].latency.max() == 1ms);
    CHECK(steps[1].latency.max() == 2ms);
}

TEST_CASE("an interrupted ramp ends with the step it had reached") {
    Report report = testing::ramp();
    report.elapsed = 1500ms;
    const std::vector<StepResult> steps = steps_of(report);
    REQUIRE(steps.size() == 2);
    CHECK(steps[1].length == 500ms);
}

TEST_CASE("steps too short for the timeline, and runs at one rate, have no rows") {
    Report report = testing::ramp();
    report.ramp.clear();
    CHECK(steps_of(report).empty());
    for (int i = 0; i < 300; ++i)
        report.ramp.push_back({100, 10ms});
    CHECK(steps_of(report).size() == 30);
}
