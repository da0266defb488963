// The live view as text.
#include <algorithm>

#include <doctest/doctest.h>

#include "bench/report/plain_text.hpp"
#include "bench/view/live_view.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

/// Answers as one slice has them.
void add(Slice& slice, int count, std::uint16_t status, std::uint8_t group = 0,
         CacheResult cache = CacheResult::none, std::optional<Failure> failure = {}) {
    Sample sample;
    sample.status = status;
    sample.group = group;
    sample.cache = cache;
    sample.failure = failure;
    sample.done = sample.intended + Duration(2ms);
    for (int i = 0; i < count; ++i)
        slice.count(sample);
}

Plan plan_of(Duration duration) {
    Plan plan;
    plan.url = "http://edge.test/item/{n}";
    plan.duration = duration;
    return plan;
}

/// 4.25 s of 200 answers a second, with a second status, two kinds of failure, and a cache.
Progress progress() {
    Progress progress;
    progress.elapsed = 4250ms;
    progress.recent.length = 1s;
    add(progress.recent.sum, 200, 200);
    add(progress.total, 700, 200, 0, CacheResult::hit);
    add(progress.total, 100, 404, 0, CacheResult::miss);
    add(progress.total, 5, 0, 0, CacheResult::none, Failure::timeout);
    add(progress.total, 20, 404, 0, CacheResult::miss, Failure::unexpected_status);
    progress.groups = {"(none)"};
    return progress;
}

/// The text of the line with this label; the first one if there are several.
std::string line_of(const std::vector<LiveLine>& lines, std::string_view label) {
    for (const LiveLine& line : lines)
        if (line.label.starts_with(label)) return line.text;
    return "no line " + std::string(label);
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a picture has progress, rate, percentiles, status codes, failures and cache results") {
    const Plan plan = plan_of(10s);
    LiveView view(plan);
    const std::vector<LiveLine> lines = view.draw(progress(), "", 80);
    CHECK(lines[0].text == plan.url);
    CHECK(lines[0].tone == LiveLine::Tone::title);
    CHECK(lines[1].text ==
          "█████████████████······················· "
          " 42%  4.2s of 10.0s");
    CHECK(line_of(lines, "rate") == "200/s");
    CHECK(line_of(lines, "latency") == "p50 2.00ms  p90 2.00ms  p99 2.00ms  max 2.00ms");
    CHECK(line_of(lines, "status") == "200 700  404 120");
    CHECK(line_of(lines, "failed") == "25 (3.03%)  timeout 5  unexpected_status 20");
    CHECK(line_of(lines, "cache") == "hit 700 (85.4%)  miss 120 (14.6%)");
    CHECK(line_of(lines, "p99") == "█  at most 2.00ms");
    CHECK(line_of(lines, "drill") == "no line drill");
    CHECK(line_of(lines, "shares") == "no line shares");
}

TEST_CASE("only failures alarm") {
    const Plan plan = plan_of(10s);
    LiveView view(plan);
    for (const LiveLine& line : view.draw(progress(), "", 80))
        CHECK((line.tone == LiveLine::Tone::alarm) == line.label.starts_with("failed"));
    Progress fine;
    fine.elapsed = 100ms;
    for (const LiveLine& line : view.draw(fine, "", 80))
        CHECK(line.tone != LiveLine::Tone::alarm);
}

TEST_CASE("before the first answer there is a picture, too") {
    const Plan plan = plan_of(10s);
    LiveView view(plan);
    Progress nothing;
    nothing.elapsed = 200ms;
    const std::vector<LiveLine> lines = view.draw(nothing, "", 80);
    CHECK(contains(line_of(lines, "latency"), "no response"));
    CHECK(line_of(lines, "status") == "none yet");
    CHECK(line_of(lines, "rate") == "0/s");
}

TEST_CASE("an open loop shows what is wanted, a ramp its step") {
    Plan plan = plan_of(9s);
    plan.rate = {{300, no_limit}};
    CHECK(line_of(LiveView(plan).draw(progress(), "", 80), "rate") == "200/s of 300/s wanted");
    plan.rate = {{100, 3s}, {250, 3s}, {400, 3s}};
    CHECK(line_of(LiveView(plan).draw(progress(), "", 80), "rate") ==
          "200/s of 250/s wanted, step 2 of 3");
}

TEST_CASE("a run of so many requests, and a replay, are as far as they are through") {
    Plan plan = plan_of(10s);
    plan.requests = 1'650;
    CHECK(done_share(plan, progress()) == 0.5);
    CHECK(contains(LiveView(plan).draw(progress(), "", 80)[1].text, "825 of 1,650 requests"));
    plan = plan_of(no_limit);
    plan.replay.resize(3'300);
    CHECK(done_share(plan, progress()) == 0.25);
    CHECK(done_share(plan_of(10s), progress()) == doctest::Approx(0.425));
    CHECK(done_share(plan_of(1s), progress()) == 1);
}

TEST_CASE("a drill shows what is broken, and who answers now") {
    Plan plan = plan_of(10s);
    plan.by = "x-pool";
    Progress now = progress();
    now.groups = {"(none)", "aws", "gcp"};
    now.recent.sum = Slice();
    add(now.total, 50, 200, 1);
    add(now.total, 50, 200, 2);
    add(now.recent.sum, 30, 200, 2);
    now.total.by_group[0] = 0;
    const std::vector<LiveLine> lines = LiveView(plan).draw(now, "kill 4711: 2s ago", 80);
    CHECK(line_of(lines, "drill") == "kill 4711: 2s ago");
    CHECK(line_of(lines, "shares") == "aws ····················     0%");
    CHECK(line_of(lines, "   ") == "gcp ████████████████████   100%");
    CHECK(lines[2].label.starts_with("drill"));  // on a low terminal the last lines are missing
}

TEST_CASE("more groups than lines are others together") {
    Plan plan = plan_of(10s);
    plan.by = "x-node";
    Progress now;
    now.elapsed = 3s;
    now.recent.length = 1s;
    now.groups = {"(none)"};
    for (std::uint8_t i = 1; i <= 10; ++i) {
        now.groups.push_back("node" + std::to_string(i));
        add(now.recent.sum, 10, 200, i);
        add(now.total, 10, 200, i);
    }
    const std::vector<LiveLine> lines = LiveView(plan).draw(now, "", 80);
    const auto rows = std::count_if(lines.begin(), lines.end(), [](const LiveLine& line) {
        return contains(line.text, "10.0%") || contains(line.text, "50.0%");
    });
    CHECK(rows == 6);
    CHECK(contains(line_of(lines, "shares"), "node1 "));
    CHECK(std::any_of(lines.begin(), lines.end(), [](const LiveLine& line) {
        return line.text.starts_with("others") && contains(line.text, "50.0%");
    }));
}

TEST_CASE("lines fit any window, and hold nothing that a terminal obeys") {
    Plan plan = plan_of(10s);
    plan.url = "http://host/\x1b[2J" + std::string(300, 'x');
    plan.by = "x-pool";
    Progress now = progress();
    now.groups = {"(none)", "\x1b[31m\xFF" + std::string(100, 'g')};
    add(now.total, 50, 200, 1);
    add(now.recent.sum, 50, 200, 1);
    for (std::uint16_t status = 200; status < 230; ++status)
        add(now.total, 1000, status);
    LiveView view(plan);
    for (std::size_t columns = LiveView::columns_min; columns < 200; ++columns) {
        for (const LiveLine& line :
             view.draw(now, "kill \x1b[1m" + std::string(99, 'k'), columns)) {
            CAPTURE(columns);
            CAPTURE(line.text);
            CHECK(columns_of(line.label) + columns_of(line.text) <= columns);
            CHECK_FALSE(contains(line.label + line.text, "\x1b"));
        }
    }
}

TEST_CASE("a plain line says the same without blocks") {
    Plan plan = plan_of(10s);
    plan.rate = {{300, no_limit}};
    CHECK(plain_line(plan, progress(), "") ==
          "    4s  200/s of 300/s wanted  p50 2.00ms  p99 2.00ms  failed 25");
    CHECK(plain_line(plan, progress(), "kill 7 in 3s\x1b").ends_with("  kill 7 in 3s\xEF\xBF\xBD"));
}
