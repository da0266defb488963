// What table and page say in words.
#include <algorithm>

#include <doctest/doctest.h>

#include "bench/report/summary.hpp"
#include "tests/unit/bench/report_by_hand.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

std::string fact(const std::vector<Fact>& facts, std::string_view name) {
    for (const Fact& fact : facts)
        if (fact.name == name) return fact.value;
    return "no fact " + std::string(name);
}

std::vector<std::string> names(const Summary& summary) {
    std::vector<std::string> names;
    for (const LatencyRow& row : summary.latency)
        names.push_back(row.name);
    return names;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("an open loop has both latencies, and rows per method, status and cache result") {
    const Report report = testing::open_loop();
    const Summary summary = summarise(report);
    CHECK(names(summary) == std::vector<std::string>{"all (corrected)", "uncorrected", "GET",
                                                     "POST", "status 200", "status 503",
                                                     "cache hit", "cache miss"});
    CHECK(summary.latency[0].histogram->count() == 999);
    CHECK(summary.latency[2].histogram->count() + summary.latency[3].histogram->count() == 999);
    CHECK(summary.latency[5].histogram->count() == 20);
    CHECK(summary.latency[0].histogram->max() == 1s);
    CHECK(summary.latency[1].histogram->max() == 10ms);
    CHECK(contains(summary.about_latency, "uncorrected"));
    CHECK(fact(summary.run, "load") == "open loop at 100/s, 8 connections, 1 worker, http/1.1");
    CHECK(fact(summary.run, "requests") == "1,000 sent, 999 answered, 21 failed");
    CHECK(fact(summary.run, "rate") == "99.9/s of 100/s wanted");
    CHECK(summary.marks.empty());
}

TEST_CASE("a closed loop has one latency, and says what it hides") {
    const Report report = testing::drill();
    const Summary summary = summarise(report);
    CHECK(names(summary) == std::vector<std::string>{"all", "status 200"});
    CHECK(contains(summary.about_latency, "--rate"));
    CHECK(contains(fact(summary.run, "load"), "closed loop, 2 connections"));
}

TEST_CASE("failures come most frequent first") {
    const Report report = testing::open_loop();
    const Summary summary = summarise(report);
    REQUIRE(summary.failures.size() == 2);
    CHECK(summary.failures[0].name == "unexpected_status");
    CHECK(summary.failures[0].count == 20);
    CHECK(summary.failures[1].name == "timeout");
    CHECK(summary.failed == "21 of 1,000 requests (2.10%)");
}

TEST_CASE("a generator that is behind says by how much") {
    Report report = testing::open_loop();
    for (int i = 0; i < 20; ++i)
        report.total.lag.record(7ms);
    Summary summary = summarise(report);
    REQUIRE(summary.marks.size() == 2);
    CHECK(contains(summary.marks[0], "7.00ms late at p99"));
    CHECK_FALSE(contains(summary.marks[0], "never left"));
    CHECK(contains(fact(summary.run, "rate"), "fell behind"));
    report.total.unsent = 1234;
    CHECK(contains(summarise(report).marks[0], "1,234 never left"));
    report.open_loop = false;
    CHECK(summarise(report).marks.empty());
}

TEST_CASE("an interrupted run, and a drill that hit nothing, are marked") {
    Report report = testing::drill();
    report.interrupted = true;
    report.drill->in_flight = 0;
    const Summary summary = summarise(report);
    REQUIRE(summary.marks.size() == 2);
    CHECK(contains(summary.marks[0], "INTERRUPTED after 3.00s"));
    CHECK(contains(summary.marks[1], "HIT NOTHING"));
}

TEST_CASE("a drill tells who answered before, during and after") {
    const Report report = testing::drill();
    const Summary summary = summarise(report);
    CHECK(summary.grouped_by == "x-pool");
    REQUIRE(summary.shares.size() == 2);  // nobody was without the field
    CHECK(summary.shares[0].name == "aws");
    CHECK(summary.shares[0].before == 0.5);
    CHECK(summary.shares[0].during == 0.0);
    CHECK(summary.shares[0].after == 0.5);
    CHECK(summary.shares[1].during == 1.0);
    CHECK(fact(summary.drill, "broke") == "kill 4711 at 1.00s, mended at 2.00s");
    CHECK(fact(summary.drill, "longest latency") == "2.00ms before, 62.0ms after (+60.0ms)");
    CHECK(fact(summary.drill, "clean again") == "after 100ms");
}

TEST_CASE("a replay and a ramp are called so") {
    Report report = testing::ramp();
    CHECK(
        contains(fact(summarise(report).run, "load"), "open loop from 100/s to 300/s in 3 steps"));
    report.ramp.clear();
    report.rate.reset();
    for (const auto& [speed, words] : {std::pair(1.0, "replay at the recorded speed"),
                                       {2.5, "replay at 2.5 times the recorded speed"},
                                       {0.0, "replay in a closed loop"}}) {
        report.replay_speed = speed;
        CHECK(contains(fact(summarise(report).run, "load"), words));
    }
}

TEST_CASE("nothing is said of a latency that nobody measured") {
    Report report({"GET"}, 100ms);
    const Summary summary = summarise(report);
    const auto cells = latency_cells(*summary.latency[0].histogram);
    CHECK(cells.size() == latency_columns().size());
    CHECK(cells[0] == "0");
    CHECK(std::all_of(cells.begin() + 1, cells.end(), [](const auto& c) { return c == "-"; }));
    CHECK(latency_columns() ==
          std::vector<std::string>{"count", "p50", "p90", "p99", "p99.9", "p99.99", "max", "mean"});
}
