// What a drill concludes from what was counted.
#include "bench/drill/drill.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

constexpr Duration moment = 400ms;

struct Answer {
    Duration done, latency;  ///< a latency of 0: it failed
    std::uint8_t method = 0;
};

DrillResult judged(const std::vector<Answer>& answers,
                   const std::vector<std::string>& methods = {"GET"}) {
    BeforeAfter counted(methods.size(), moment);
    for (const Answer& answer : answers) {
        Sample sample;
        sample.status = 200;
        sample.method = answer.method;
        sample.done = sample.intended + answer.latency;
        if (answer.latency == 0ms) sample.failure = Failure::reset;
        counted.count(answer.done, sample);
    }
    return judge_drill(counted, methods);
}

}  // namespace

TEST_CASE("clean again: behind the last failure and the last unusual latency") {
    const DrillResult late = judged(
        {{150ms, 8ms}, {300ms, 7ms}, {401ms, 0ms}, {462ms, 60ms}, {480ms, 18ms}, {500ms, 8ms}});
    CHECK(late.failed == 1);
    CHECK(late.longest_before == 8ms);
    CHECK(late.longest_after == 60ms);
    CHECK(late.longest_extra() == 52ms);
    CHECK(late.until_clean == Duration(65ms));  // the end of its 5 ms
    const DrillResult unhurt = judged({{150ms, 8ms}, {402ms, 9ms}});
    CHECK(unhurt.until_clean == Duration(0));
    CHECK(unhurt.failed == 0);
    CHECK_FALSE(judged({{150ms, 8ms}, {402ms, 9ms}, {450ms, 0ms}}).until_clean);
    CHECK(judged({}).until_clean == Duration(0));
}

TEST_CASE("small hiccups are usual, and a method is measured by itself") {
    CHECK(judged({{150ms, 1ms}, {402ms, 11ms}, {500ms, 1ms}}).until_clean == Duration(0));
    CHECK(judged({{150ms, 1ms}, {402ms, 12ms}, {500ms, 1ms}}).until_clean == Duration(5ms));
    const DrillResult both = judged({{150ms, 1ms, 0},
                                     {150ms, 80ms, 1},
                                     {402ms, 90ms, 1},
                                     {410ms, 0ms, 1},
                                     {421ms, 30ms, 0},
                                     {500ms, 1ms, 0},
                                     {500ms, 80ms, 1}},
                                    {"GET", "POST"});
    REQUIRE(both.methods.size() == 2);
    CHECK(both.methods[0].name == "GET");
    CHECK(both.methods[0].failed == 0);
    CHECK(both.methods[0].usual == 1ms);
    CHECK(both.methods[0].longest_extra() == 29ms);
    CHECK(both.methods[0].until_clean == Duration(25ms));
    CHECK(both.methods[1].requests == 3);
    CHECK(both.methods[1].by_failure[static_cast<std::size_t>(Failure::reset)] == 1);
    CHECK(both.methods[1].longest_extra() == 10ms);
    CHECK(both.methods[1].until_clean == Duration(15ms));
    CHECK(both.failed == 1);
    CHECK(both.until_clean == Duration(25ms));
}

TEST_CASE("a method that is never clean makes the drill so") {
    const DrillResult result = judged({{402ms, 0ms, 1}, {500ms, 1ms, 0}}, {"GET", "POST"});
    CHECK(result.methods[0].until_clean == Duration(0));
    CHECK_FALSE(result.methods[1].until_clean);
    CHECK_FALSE(result.until_clean);
}
