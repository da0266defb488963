// Warm jobs: rate, bounds, and what is told of them; played with a clock and an alarm by hand.
#include "proxy/caching/warm_jobs.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/unit/proxy/caching/manual_alarm.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

struct Scene {
    void pass(Duration time) {
        clock.advance(time);
        alarm.ring();
    }
    void end(std::size_t index, const WarmEnd& how = {true, true, ""}) {
        asked[index].second(how);
        alarm.ring();
    }
    std::uint64_t start(std::size_t urls, double rate) {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < urls; ++i)
            all.push_back("http://a.test/" + std::to_string(i));
        const auto id = jobs.start(std::move(all), rate);
        alarm.ring();
        return id.value_or(0);
    }

    ManualClock clock;
    test::HandAlarm alarm;
    std::vector<std::pair<std::string, WarmJobs::Ended>> asked;
    WarmJobs jobs{clock, alarm, [this](const std::string& url, WarmJobs::Ended ended) {
                      asked.emplace_back(url, std::move(ended));
                  }};
};

}  // namespace

TEST_CASE("a job begins no fetch before its rate allows it") {
    Scene s;
    s.start(10, 10);
    const std::size_t burst = s.asked.size();
    CHECK(burst == 1);
    REQUIRE(s.alarm.wait);
    CHECK(*s.alarm.wait == 100ms);
    s.pass(99ms);
    CHECK(s.asked.size() == 1);
    s.pass(1ms);
    CHECK(s.asked.size() == 2);
    // Held up for a second, it makes up for a tenth of one.
    s.pass(1s);
    CHECK(s.asked.size() == 4);
}

TEST_CASE("a URL that took several requests counts so in the rate") {
    Scene s;
    s.start(10, 10);
    s.end(0, {true, true, "", 4});
    s.pass(399ms);
    CHECK(s.asked.size() == 1);
    s.pass(1ms);
    CHECK(s.asked.size() == 2);
}

TEST_CASE("no more fetches are under way than the bound, and an end makes room") {
    Scene s;
    s.start(1000, 1e6);
    s.pass(1s);
    CHECK(s.asked.size() == limits::warm_in_flight);
    CHECK(s.jobs.in_flight() == limits::warm_in_flight);
    s.pass(1s);
    CHECK(s.asked.size() == limits::warm_in_flight);
    s.end(0);
    CHECK(s.asked.size() == limits::warm_in_flight + 1);
}

TEST_CASE("a job tells what was stored, what was not and what failed") {
    Scene s;
    const std::uint64_t id = s.start(3, 1000);
    s.pass(10ms);
    REQUIRE(s.asked.size() == 3);
    s.end(0);
    s.end(1, {true, false, "no-store"});
    CHECK_FALSE(s.jobs.progress(id)->finished);
    s.end(2, {false, false, "refused"});
    const WarmProgress now = s.jobs.progress(id).value();
    CHECK(now.finished);
    CHECK(now.done == 3);
    CHECK(now.stored == 1);
    CHECK(now.not_stored == 1);
    CHECK(now.failed == 1);
    REQUIRE(now.troubles.size() == 2);
    CHECK(now.troubles[1] == std::pair<std::string, std::string>("http://a.test/2", "refused"));
    CHECK_FALSE(s.jobs.progress(id + 1));
}

TEST_CASE("the number of jobs under way is bounded, and that of finished ones that are kept") {
    Scene s;
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < limits::warm_jobs; ++i) {
        const std::uint64_t id = s.start(1, 1);
        if (i == 0) first = id;
    }
    CHECK(s.start(1, 1) == 0);
    for (std::size_t i = 0; i < s.asked.size(); ++i)
        s.end(i);
    CHECK(s.jobs.progress(first));
    const std::uint64_t next = s.start(1, 1);
    CHECK(next != 0);
    s.end(s.asked.size() - 1);
    CHECK_FALSE(s.jobs.progress(first));
    CHECK(s.jobs.progress(next)->finished);
}

TEST_CASE("a standing job takes URLs as they come and tells each end") {
    Scene s;
    std::vector<std::string> told;
    const std::uint64_t id = s.jobs.stand(
        100, [&](std::uint64_t, const std::string& url, const WarmEnd&) { told.push_back(url); });
    s.jobs.add(id, "http://a.test/x");
    s.alarm.ring();
    REQUIRE(s.asked.size() == 1);
    s.end(0);
    CHECK(told == std::vector<std::string>{"http://a.test/x"});
    CHECK_FALSE(s.jobs.progress(id));
    s.jobs.add(id, "http://a.test/y");
    s.pass(1s);
    s.jobs.end(id);
    s.end(1);
    CHECK(told.size() == 1);
    CHECK(s.jobs.in_flight() == 0);
}

TEST_CASE("who watches a job is told when it has gone on, has ended, or after a while") {
    Scene s;
    const std::uint64_t id = s.start(200, 1e6);
    s.pass(1s);
    int looks = 0;
    s.jobs.watch(id, 0, [&] { ++looks; });
    s.end(0);
    CHECK(looks == 0);  // not yet a hundredth
    s.end(1);
    CHECK(looks == 1);
    s.jobs.watch(id, 2, [&] { ++looks; });
    s.jobs.tell_all();
    CHECK(looks == 2);
    s.jobs.watch(id + 1, 0, [&] { ++looks; });  // there is none
    CHECK(looks == 3);
}
