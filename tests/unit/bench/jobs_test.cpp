// When requests are meant to start, and what they ask for.
#include "bench/load/jobs.hpp"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

const TimePoint start{100s};

Plan plan_of(std::vector<std::string> targets) {
    Plan plan;
    plan.targets = std::move(targets);
    plan.methods = {{"GET", 1}};
    return plan;
}

std::string target(const Job& job) {
    std::string text;
    append_target(text, job);
    return text;
}

}  // namespace

TEST_CASE("even arrivals keep their distance, and workers interleave") {
    FastRng rng(1);
    std::map<TimePoint, unsigned> row;
    for (unsigned share = 0; share < 4; ++share) {
        Arrivals arrivals(Arrivals::Kind::even, {{1'000, no_limit}}, start, share, 4, rng);
        for (int i = 0; i < 250; ++i, arrivals.advance())
            row[arrivals.due()] = share;
    }
    REQUIRE(row.size() == 1'000);
    TimePoint expected = start;
    for (const auto& [time, share] : row) {
        CHECK(time == expected);
        expected += 1ms;
    }
}

TEST_CASE("Poisson arrivals have the rate, and the spread of their kind") {
    FastRng rng(2);
    Arrivals arrivals(Arrivals::Kind::poisson, {{1'000, no_limit}}, start, 0, 1, rng);
    constexpr int count = 100'000;
    double squares = 0;
    TimePoint last = start;
    for (int i = 0; i < count; ++i, arrivals.advance()) {
        const double gap = std::chrono::duration<double, std::milli>(arrivals.due() - last).count();
        CHECK(gap >= 0);
        squares += gap * gap;
        last = arrivals.due();
    }
    const double mean = std::chrono::duration<double, std::milli>(last - start).count() / count;
    CHECK(mean == doctest::Approx(1).epsilon(0.02));
    CHECK(squares / count == doctest::Approx(2).epsilon(0.05));  // exponential: twice the square
}

TEST_CASE("steps follow one another with their own rates, then nothing is due") {
    FastRng rng(3);
    Arrivals arrivals(Arrivals::Kind::even, {{10, 1s}, {0.1, 1s}, {100, 1s}}, start, 0, 1, rng);
    std::map<long, int> per_second;
    for (; arrivals.due() != never; arrivals.advance())
        ++per_second[(arrivals.due() - start) / 1s];
    CHECK(per_second == std::map<long, int>{{0, 10}, {1, 1}, {2, 100}});
}

TEST_CASE("a closed loop is always due, for the requests and the time there are") {
    FastRng rng(4);
    Plan plan = plan_of({"/"});
    plan.workers = 3;
    plan.requests = 10;
    std::uint64_t all = 0;
    for (unsigned index = 0; index < 3; ++index) {
        Jobs jobs(plan, index, start, never, rng);
        for (; jobs.due() != never; ++all)
            CHECK(jobs.take(start + 7s).intended == start + 7s);
        CHECK(jobs.drop_rest() == 0);
    }
    CHECK(all == 10);
    Jobs stopped(plan, 0, start, never, rng);
    stopped.stop();
    CHECK(stopped.due() == never);
}

TEST_CASE("an open loop counts what it could not send before its end") {
    FastRng rng(5);
    Plan plan = plan_of({"/"});
    plan.rate = {{100, no_limit}};
    plan.arrivals = Arrivals::Kind::even;
    Jobs jobs(plan, 0, start, start + 1s, rng);
    const Job first = jobs.take(start + 500ms), second = jobs.take(start + 500ms);
    CHECK(first.intended == start);
    CHECK(second.intended == start + 10ms);
    CHECK(jobs.drop_rest() == 98);
    CHECK(jobs.due() == never);
}

TEST_CASE("targets take turns, and a number goes where it stands") {
    FastRng rng(6);
    Plan plan = plan_of({"/a", "/item/{n}.json?x=1"});
    plan.keys = 3;
    Jobs jobs(plan, 0, start, never, rng);
    std::map<std::string, int> seen;
    for (int i = 0; i < 600; ++i)
        ++seen[target(jobs.take(start))];
    CHECK(seen.size() == 4);
    CHECK(seen["/a"] == 300);
    CHECK(seen["/item/2.json?x=1"] > 50);
}

TEST_CASE("methods are mixed by weight") {
    FastRng rng(7);
    Plan plan = plan_of({"/"});
    plan.methods = {{"GET", 80}, {"POST", 20}};
    Jobs jobs(plan, 0, start, never, rng);
    int posts = 0;
    for (int i = 0; i < 10'000; ++i)
        posts += jobs.take(start).method;
    CHECK(std::abs(posts - 2'000) < 250);
}

TEST_CASE("a replay keeps order and times, scaled; every worker has its rows") {
    FastRng rng(8);
    Plan plan = plan_of({"/unused"});
    plan.replay = {{0s, 0, "/1"}, {2s, 0, "/2"}, {4s, 0, "/3"}};
    plan.speed = 2;
    Jobs jobs(plan, 0, start, never, rng);
    CHECK(jobs.due() == start);
    CHECK(target(jobs.take(start)) == "/1");
    CHECK(jobs.due() == start + 1s);
    const Job late = jobs.take(start + 9s);
    CHECK(late.intended == start + 1s);
    CHECK(target(jobs.take(start + 9s)) == "/3");
    CHECK(jobs.due() == never);

    plan.workers = 2;
    Jobs other(plan, 1, start, never, rng);
    CHECK(target(other.take(start)) == "/2");
    CHECK(other.due() == never);

    plan.speed = 0;
    Jobs fast(plan, 0, start, never, rng);
    CHECK(fast.take(start + 3s).intended == start + 3s);
    CHECK(fast.due() == start);
}

TEST_CASE("rows of a replay that were due and did not leave are counted") {
    FastRng rng(9);
    Plan plan = plan_of({"/unused"});
    for (int i = 0; i < 10; ++i)
        plan.replay.push_back({i * 1s, 0, "/"});
    Jobs jobs(plan, 0, start, start + 5s, rng);
    CHECK(plan.open_loop());
    CHECK(target(jobs.take(start)) == "/");
    CHECK(jobs.drop_rest() == 4);
    CHECK(jobs.due() == never);

    plan.speed = 0;
    CHECK_FALSE(plan.open_loop());
    Jobs fast(plan, 0, start, start + 5s, rng);
    CHECK(fast.drop_rest() == 0);
}

TEST_CASE("arrivals that are left out are counted, one by one or by their mean") {
    FastRng rng(10);
    const std::vector<Arrivals::Step> steps = {{1'000'000, 2s}, {1'000, 3s}, {2'000'000, 1s}};
    for (const unsigned shares : {1U, 2U}) {
        Arrivals even(Arrivals::Kind::even, steps, start, shares - 1, shares, rng);
        CHECK(even.skip_to(start + 1ms) == 1'000 / shares);
        CHECK(even.skip_to(start + 1ms) == 0);
        const auto more = static_cast<double>(even.skip_to(start + 5500ms));
        CHECK(more == doctest::Approx(3'002'000.0 / shares).epsilon(1e-5));
        CHECK(even.due() >= start + 5500ms);
        CHECK(even.due() < start + 5501ms);
        CHECK(even.skip_to(never) == doctest::Approx(1'000'000.0 / shares).epsilon(1e-4));
        CHECK(even.due() == never);
    }
    Arrivals random(Arrivals::Kind::poisson, {{1e7, no_limit}}, start, 0, 1, rng);
    const auto skipped = static_cast<double>(random.skip_to(start + 24h));
    CHECK(skipped == doctest::Approx(1e7 * 86'400).epsilon(0.001));
}

TEST_CASE("a rate so low that nothing is due for ages") {
    FastRng rng(11);
    CHECK(duration_of(1.4) == 1ns);
    CHECK(duration_of(1e300) == no_limit);
    for (const Arrivals::Kind kind : {Arrivals::Kind::poisson, Arrivals::Kind::even}) {
        Arrivals arrivals(kind, {{1e-12, no_limit}}, start, 1, 2, rng);
        CHECK(arrivals.due() == never);
    }
    Plan plan = plan_of({"/unused"});
    plan.replay = {{0s, 0, "/"}, {24h, 0, "/"}};
    plan.speed = 1e-6;
    Jobs jobs(plan, 0, start, never, rng);
    CHECK(jobs.take(start).intended == start);
    CHECK(jobs.due() == never);
}

TEST_CASE("which step it is, and the mean rate so far") {
    const std::vector<Arrivals::Step> steps = {{100, 2s}, {400, 1s}};
    CHECK(Arrivals::step_at(steps, 0s) == 0);
    CHECK(Arrivals::step_at(steps, 1999ms) == 0);
    CHECK(Arrivals::step_at(steps, 2s) == 1);
    CHECK(Arrivals::step_at(steps, 9s) == 1);
    CHECK(Arrivals::mean_rate(steps, 1s) == doctest::Approx(100));
    CHECK(Arrivals::mean_rate(steps, 3s) == doctest::Approx(200));
    CHECK(Arrivals::mean_rate(steps, 9s) == doctest::Approx(200));
    CHECK(Arrivals::mean_rate({{50, no_limit}}, 7s) == doctest::Approx(50));
    // One rate is that rate, whatever a run's length is in binary.
    for (Duration length = 990ms; length < 991ms; length += 1237ns)
        CHECK(Arrivals::mean_rate({{200, no_limit}}, length) == 200);
}
