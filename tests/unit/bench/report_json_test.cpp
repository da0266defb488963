// The figures for programs, read back by another parser's rules.
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include "bench/report/json.hpp"
#include "tests/unit/bench/report_by_hand.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;
using boost::json::object;
using boost::json::value;

namespace {

value parsed(const Report& report) {
    return boost::json::parse(json_text(report));
}

double number(const value& of, std::string_view pointer) {
    return of.at_pointer(pointer).to_number<double>();
}

}  // namespace

TEST_CASE("latencies have seven figures, in milliseconds") {
    const value json = parsed(testing::open_loop());
    for (const char* key : {"latency_ms", "uncorrected_ms"}) {
        const object& latency = json.at(key).as_object();
        CHECK(latency.size() == 7);
        for (const char* figure : {"mean", "p50", "p90", "p99", "p999", "p9999", "max"})
            CHECK(latency.contains(figure));
    }
    CHECK(number(json, "/latency_ms/max") == 1000);
    CHECK(number(json, "/uncorrected_ms/max") == 10);
    CHECK(number(json, "/latency_ms/p50") == doctest::Approx(1.5).epsilon(0.01));
    CHECK(number(json, "/latency_ms/mean") > number(json, "/uncorrected_ms/mean"));
}

TEST_CASE("counts are told apart by status, cache result, method and kind of failure") {
    const value json = parsed(testing::open_loop());
    CHECK(number(json, "/requests") == 1000);
    CHECK(number(json, "/completed") == 999);
    CHECK(number(json, "/failed") == 21);
    CHECK(json.at("failures") == value{{"timeout", 1}, {"unexpected_status", 20}});
    CHECK(number(json, "/statuses/200/count") == 979);
    CHECK(number(json, "/statuses/503/count") == 20);
    CHECK(number(json, "/cache/miss/count") == 99);
    CHECK(number(json, "/methods/GET/count") == 749);
    CHECK(number(json, "/methods/POST/count") == 250);
    CHECK(number(json, "/methods/POST/latency_ms/max") == 1000);
    CHECK(number(json, "/rate/wanted") == 100);
    CHECK(json.at("loop") == "open");
    CHECK(json.at("behind") == false);
}

TEST_CASE("slices of the timeline add up to the whole") {
    const value json = parsed(testing::open_loop());
    std::uint64_t completed = 0, failed = 0, by_status = 0, timeouts = 0;
    for (const value& slice : json.at_pointer("/timeline/slices").as_array()) {
        completed += slice.at("completed").to_number<std::uint64_t>();
        failed += slice.at("failed").to_number<std::uint64_t>();
        for (const auto& [status, count] : slice.at("statuses").as_object())
            by_status += count.to_number<std::uint64_t>();
        if (const value* count = slice.at("failures").as_object().if_contains("timeout"))
            timeouts += count->to_number<std::uint64_t>();
    }
    CHECK(completed == 999);
    CHECK(failed == 21);
    CHECK(by_status == 999);
    CHECK(timeouts == 1);
}

TEST_CASE("a drill has what broke, and the shares of each group over time") {
    const value json = parsed(testing::drill());
    CHECK(json.at_pointer("/drill/what") == "kill 4711");
    CHECK(number(json, "/drill/at_s") == 1);
    CHECK(number(json, "/drill/healed_s") == 2);
    CHECK(number(json, "/drill/in_flight") == 3);
    CHECK(number(json, "/drill/longest_after_ms") == 62);
    CHECK(number(json, "/drill/shares/aws/before") == 0.5);
    CHECK(number(json, "/drill/shares/aws/during") == 0);
    CHECK(number(json, "/groups/completed/gcp") == 199);
    const value& slices = json.at_pointer("/timeline/slices");
    CHECK(slices.at(5).at("groups") == value{{"aws", 5}, {"gcp", 5}});
    CHECK(slices.at(15).at("groups") == value{{"gcp", 10}});
    CHECK(json.at_pointer("/rate/wanted").is_null());
    CHECK(json.at("loop") == "closed");
}

TEST_CASE("a ramp has its steps") {
    const value json = parsed(testing::ramp());
    REQUIRE(json.at("steps").as_array().size() == 3);
    CHECK(number(json, "/steps/2/wanted") == 300);
    CHECK(number(json, "/steps/2/achieved") == 225);
    CHECK(number(json, "/steps/2/failed") == 25);
    CHECK(number(json, "/steps/1/latency_ms/max") == 2);
}

TEST_CASE("a run of which nothing came is valid, too") {
    const Report report({"GET"}, 100ms);
    const value json = parsed(report);
    CHECK(number(json, "/completed") == 0);
    CHECK(number(json, "/latency_ms/p99") == 0);
    CHECK(json.at("drill").is_null());
    CHECK(json.at("groups").is_null());
}

TEST_CASE("hostile text is text") {
    Report report = testing::drill();
    report.url = "http://host/\"\\\xFF\n{}";
    report.groups = {"(none)", "\xFF\"", "\xFE\""};  // the same once they are text
    report.arguments = {"-H", std::string("a\0b", 3)};
    const value json = parsed(report);
    CHECK(json.at("url") == "http://host/\"\\\xEF\xBF\xBD\n{}");
    CHECK(number(json, "/groups/completed/\xEF\xBF\xBD\"") == 299);
    CHECK(json.at_pointer("/arguments/1") == value(boost::json::string_view("a\0b", 3)));
}
