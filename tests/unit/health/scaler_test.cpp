// Standbys by command and by load, on a clock of its own.
#include "health/scaler.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

Scaler scaler_of(std::uint32_t active, std::uint32_t standbys,
                 const std::optional<config::AutoScale>& rules = {}) {
    Scaler scaler;
    CHECK(scaler.resize({.active = active, .standby = standbys}, rules));
    return scaler;
}

config::AutoScale aim(double target) {
    config::AutoScale rules;
    rules.target_in_flight = target;
    rules.max_active = 64;
    return rules;
}

}  // namespace

TEST_CASE("as configured, then by a factor of that, whatever was said before") {
    Scaler scaler = scaler_of(2, 3);
    CHECK(scaler.state() == ScaleState{2, 2, 0, "as configured"});
    CHECK(scaler.wish({.factor = 2.0, .active = {}}) == "");
    CHECK(scaler.state() == ScaleState{4, 4, 0, "scaled by 2 from 2"});
    CHECK(scaler.wish({.factor = 2.0, .active = {}}) == "");
    CHECK(scaler.state().wanted == 4);
    CHECK(scaler.wish({.factor = 1.1, .active = {}}) == "");
    CHECK(scaler.state().wanted == 3);
    CHECK(scaler.wish({.factor = 0.1, .active = {}}) == "");
    CHECK(scaler.state().in_service == 1);
    CHECK(scaler.wish({.factor = 1.0, .active = {}}) == "");
    CHECK(scaler.state().in_service == 2);
}

TEST_CASE("what standbys cannot give is pending, and arrives through the set") {
    Scaler scaler = scaler_of(2, 1);
    CHECK(scaler.wish({.factor = {}, .active = 5}) == "");
    CHECK(scaler.state() == ScaleState{5, 3, 2, "scaled to 5; 2 more wanted than there are"});
    CHECK(scaler.resize({.active = 4, .standby = 1, .named = 4}, {}));  // DNS has more
    CHECK(scaler.state() == ScaleState{5, 5, 0, "scaled to 5"});
    CHECK_FALSE(scaler.resize({.active = 4, .standby = 1, .named = 4}, {}));
}

TEST_CASE("a factor is a number from the wish on: what comes because of it is not multiplied") {
    Scaler scaler;
    const auto names = [&](std::uint32_t count) {
        static_cast<void>(scaler.resize({.active = count, .named = count}, {}));
    };
    const auto wish = [&](double factor) {
        CHECK(scaler.wish({.factor = factor, .active = {}}) == "");
        return scaler.state().wanted;
    };
    names(2);
    CHECK_FALSE(scaler.asked());
    CHECK(wish(2) == 4);
    CHECK(scaler.asked());
    for (const std::uint32_t brought : {3U, 4U, 8U}) {
        names(brought);
        CHECK(scaler.state().wanted == 4);
    }
    CHECK(wish(2) == 4);  // said again
    CHECK(scaler.state().why == "scaled by 2 from 2");
    CHECK(wish(0.5) == 1);
    for (const std::uint32_t left : {4U, 2U, 1U}) {
        names(left);
        CHECK(scaler.state().wanted == 1);
    }
    CHECK(wish(0.5) == 1);
    CHECK(wish(3) == 6);
    names(6);
    CHECK(wish(1) == 2);  // back to what was there…
    CHECK(scaler.state().in_service == 2);
    names(2);
    CHECK_FALSE(scaler.asked());
    names(3);  // …and then nothing is wished any more
    CHECK(scaler.state() == ScaleState{3, 3, 0, "as configured"});
}

TEST_CASE("a factor that was said before the names had answered is of what they answer") {
    Scaler scaler;
    CHECK(scaler.wish({.factor = 2.0, .active = {}}) == "");
    CHECK(scaler.state().wanted == 0);
    CHECK(scaler.resize({.active = 3, .named = 3}, {}));
    CHECK(scaler.state().wanted == 6);
    CHECK(scaler.resize({.active = 6, .named = 6}, {}));
    CHECK(scaler.state().wanted == 6);
}

TEST_CASE("auto gives back what the webhook brought, down to min_active and what the file holds") {
    config::AutoScale rules = aim(10);
    rules.shrink_after = 60s;
    rules.min_active = 2;
    Scaler scaler;
    const auto names = [&](std::uint32_t count) {
        static_cast<void>(scaler.resize({.active = count, .named = count, .elastic = true}, rules));
    };
    const auto pass = [&](double in_flight, int seconds) {
        for (int i = 0; i < seconds; ++i)
            static_cast<void>(scaler.measure(in_flight, 1s));
        return scaler.state().wanted;
    };
    CHECK(scaler.state().wanted == 0);
    names(4);
    CHECK(scaler.state() == ScaleState{4, 4, 0, "as found by name"});
    CHECK_FALSE(scaler.asked());
    CHECK(pass(75, 60) == 8);
    CHECK(scaler.asked());
    names(8);
    CHECK(scaler.state().wanted == 8);
    CHECK(scaler.busy());
    CHECK(pass(0, 600) < 8);
    names(scaler.state().wanted);
    CHECK(pass(0, 6000) == 2);
    CHECK(scaler.state().why.starts_with("auto: "));
    CHECK_FALSE(scaler.busy());
    names(2);
    CHECK(scaler.state() == ScaleState{2, 2, 0, scaler.state().why});
    names(5);  // somebody else has added some: they serve
    CHECK(scaler.state().in_service == 5);
    CHECK(pass(0, 6000) == 2);
    // What stands in the file as an address nobody takes away.
    CHECK(scaler.resize({.active = 5, .named = 2, .elastic = true}, rules));
    CHECK(pass(0, 6000) == 3);
    // Without a webhook nobody brings or takes anything: as configured.
    CHECK(scaler.resize({.active = 5, .named = 5}, rules));
    CHECK(pass(0, 6000) == 5);
}

TEST_CASE("a wish that cannot be is refused in words, and nothing changes") {
    Scaler scaler = scaler_of(2, 1);
    CHECK(scaler.wish({}) != "");
    CHECK(scaler.wish({.factor = 2.0, .active = 3}) != "");
    CHECK(scaler.wish({.factor = 0.0, .active = {}}) != "");
    CHECK(scaler.wish({.factor = -1.0, .active = {}}) != "");
    CHECK(scaler.wish({.factor = std::nan(""), .active = {}}) != "");
    CHECK(scaler.wish({.factor = 1e9, .active = {}}) != "");
    CHECK(scaler.wish({.factor = {}, .active = 0}) != "");
    CHECK(scaler.wish({.factor = {}, .active = 10'001}) != "");
    CHECK(scaler.state().why == "as configured");
}

TEST_CASE("auto doubles when short, before the load is there") {
    Scaler scaler = scaler_of(2, 30, aim(10));
    for (int i = 0; i < 60; ++i)
        CHECK_FALSE(scaler.measure(10, 1s));
    // The load climbs by 0.5 a second: 20 would be passed after 20 s.
    int seconds = 0;
    while (!scaler.measure(10 + 0.5 * ++seconds, 1s))
        REQUIRE(seconds < 20);
    CHECK(seconds < 15);
    CHECK(scaler.state().in_service == 4);
    CHECK(scaler.state().why.find("auto: ") == 0);
    CHECK(scaler.measure(1000, 1s));
    CHECK(scaler.state().in_service == 8);
    CHECK(scaler.measure(1000, 1s));
    CHECK(scaler.measure(1000, 1s));
    CHECK(scaler.state().in_service == 32);
    CHECK(scaler.measure(1000, 1s));
    CHECK(scaler.state().wanted == 64);
    CHECK(scaler.state().pending == 32);
    CHECK(scaler.state().why.find("max_active 64") != std::string::npos);
    CHECK_FALSE(scaler.measure(1000, 1s));
}

TEST_CASE("auto gives back slowly, never below what is configured or was needed") {
    config::AutoScale rules = aim(10);
    rules.shrink_after = 60s;
    Scaler scaler = scaler_of(2, 30, rules);
    for (int i = 0; i < 10; ++i)
        static_cast<void>(scaler.measure(300, 1s));
    CHECK(scaler.state().in_service == 32);
    CHECK(scaler.busy());
    std::vector<std::uint32_t> row;
    for (int i = 0; i < 1200; ++i) {
        if (scaler.measure(0, 1s)) row.push_back(scaler.state().in_service);
    }
    REQUIRE(row.size() > 5);
    std::uint32_t last = 32;
    for (const std::uint32_t now : row) {
        CHECK(now >= last - std::max(1U, last / 4));
        CHECK(now < last);
        last = now;
    }
    CHECK(last == 2);
    CHECK_FALSE(scaler.busy());
}

TEST_CASE("constant load, with its noise, leaves what auto wants at rest") {
    config::AutoScale rules = aim(10);
    rules.shrink_after = 60s;
    FastRng rng(5);
    for (const double load : {30.0, 75.0, 120.0}) {
        Scaler scaler = scaler_of(2, 60, rules);
        std::vector<std::uint32_t> row;
        for (int second = 0; second < 7200; ++second) {
            double sum = 0;  // in flight as requests that come by themselves: variance = mean
            for (int i = 0; i < 12; ++i)
                sum += static_cast<double>(rng.next() >> 11) * 0x1p-53;
            static_cast<void>(scaler.measure(load + (sum - 6) * std::sqrt(load), 1s));
            if (second > 1800) row.push_back(scaler.state().wanted);
        }
        int changes = 0;
        for (std::size_t i = 1; i < row.size(); ++i)
            changes += row[i] != row[i - 1] ? 1 : 0;
        CHECK(changes <= 4);
        const auto [least, most] = std::ranges::minmax(row);
        CHECK(least * 10 >= load);
        CHECK(most * 10 <= 2 * load + 10);
    }
}

TEST_CASE("load that comes back starts the wait anew") {
    config::AutoScale rules = aim(10);
    rules.shrink_after = 60s;
    Scaler scaler = scaler_of(4, 4, rules);
    for (int i = 0; i < 30; ++i)
        static_cast<void>(scaler.measure(79, 1s));
    CHECK(scaler.state().in_service == 8);
    for (int i = 0; i < 600; ++i)  // every 50 s it is needed
        static_cast<void>(scaler.measure(i % 50 < 20 ? 79 : 10, 1s));
    CHECK(scaler.state().in_service == 8);
}

TEST_CASE("an operator's number is where auto begins") {
    Scaler scaler = scaler_of(2, 10, aim(10));
    CHECK(scaler.wish({.factor = {}, .active = 6}) == "");
    CHECK(scaler.state().in_service == 6);
    for (int i = 0; i < 1000; ++i)
        static_cast<void>(scaler.measure(0, 1s));
    CHECK(scaler.state().in_service == 6);
    for (int i = 0; i < 20; ++i)
        static_cast<void>(scaler.measure(70, 1s));
    CHECK(scaler.state().in_service == 12);
}

TEST_CASE("Holt's trend follows a line exactly and stays above nothing") {
    HoltTrend trend;
    for (int i = 0; i < 400; ++i)
        trend.add(5 + 2.0 * i, 1s);
    CHECK(trend.level() == doctest::Approx(5 + 2.0 * 399).epsilon(0.001));
    CHECK(trend.ahead(30s) == doctest::Approx(5 + 2.0 * 429).epsilon(0.001));
    for (int i = 0; i < 200; ++i)
        trend.add(800 - 4.0 * i, 1s);
    CHECK(trend.ahead(1min) == 0);
}
