// Positions: which purges of the store something from Redis is compared with.
#include "cache/tier/positions.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using scrollgate::tier::Positions;

namespace {

struct Scene : World {
    Positions positions{store};

    Scene() { positions.begin(); }
    /// A purge of the log.
    void hear(tier::Position at, std::string url) {
        positions.step(at, purge(Purge::By::url, std::move(url)));
    }
    /// What a node that had followed up to `at` has written is taken.
    bool takes(tier::Position at, std::string_view url) {
        const auto number = positions.number_at(at);
        return number && put(key_of(url), "x", {.position = *number}).entry != nullptr;
    }
};

}  // namespace

TEST_CASE("what was written before a purge that covers it is not taken, all else is") {
    Scene s;
    s.hear(10, "a.example/first");
    CHECK(s.positions.followed() == 10);
    CHECK(s.takes(10, "a.example/x"));
    s.hear(20, "a.example/x");
    s.sweep_all();
    CHECK_FALSE(s.takes(10, "a.example/x"));
    CHECK_FALSE(s.takes(15, "a.example/x"));
    CHECK(s.takes(10, "a.example/y"));
    CHECK(s.takes(20, "a.example/x"));
}

TEST_CASE("what is older than all that is known, or newer, cannot be compared") {
    Scene s;
    CHECK_FALSE(s.positions.number_at(0));
    s.hear(10, "a.example/first");
    CHECK_FALSE(s.positions.number_at(9));
    CHECK_FALSE(s.positions.number_at(11));
    s.hear(20, "a.example/second");
    CHECK(s.positions.number_at(11));
    s.positions.begin();
    CHECK_FALSE(s.positions.number_at(20));
    CHECK(s.positions.followed() == 0);
}

TEST_CASE("an own purge holds against everything until the log tells it back") {
    Scene s;
    s.hear(10, "a.example/first");
    const std::uint64_t since = s.positions.own_began();
    s.purge(Purge::By::url, "a.example/x");
    CHECK_FALSE(s.takes(10, "a.example/x"));
    // Others' purges come first, and what was written after them may be from before ours.
    s.hear(20, "a.example/second");
    CHECK_FALSE(s.takes(20, "a.example/x"));
    CHECK(s.takes(20, "a.example/y"));
    s.positions.own_ended(since);
    CHECK_FALSE(s.takes(20, "a.example/x"));
    s.positions.step(30, s.store.purge_position());
    CHECK_FALSE(s.takes(20, "a.example/x"));
    CHECK(s.takes(30, "a.example/x"));
}

TEST_CASE("own purges hold in the order of the log, whatever order the store made them in") {
    Scene s;
    s.hear(10, "a.example/first");
    const std::uint64_t since_y = s.positions.own_began();
    const std::uint64_t y = s.purge(Purge::By::url, "a.example/y");
    const std::uint64_t since_z = s.positions.own_began();
    const std::uint64_t z = s.purge(Purge::By::url, "a.example/z");
    REQUIRE(y < z);
    // The log tells them the other way round.
    s.positions.own_ended(since_z);
    s.positions.step(20, s.store.purge_position());
    s.positions.own_ended(since_y);
    s.positions.step(30, s.store.purge_position());
    REQUIRE(s.positions.number_at(20));
    CHECK(*s.positions.number_at(20) < y);
    CHECK(*s.positions.number_at(30) >= z);
    // Written by a node that had heard of z alone.
    CHECK_FALSE(s.takes(20, "a.example/y"));
    CHECK(s.takes(30, "a.example/y"));
}

TEST_CASE("what an own purge is compared with stays in the store when the log begins anew") {
    Scene s;
    const std::uint64_t since = s.positions.own_began();
    s.purge(Purge::By::url, "a.example/x");
    s.positions.begin();
    s.hear(10, "a.example/first");
    s.sweep_all();
    CHECK_FALSE(s.takes(10, "a.example/x"));
    CHECK(s.takes(10, "a.example/y"));
    s.positions.own_ended(since);
    s.hear(20, "a.example/second");
    CHECK(s.takes(20, "a.example/x"));
}

TEST_CASE("however many purges come, the latest are known, and the store forgets none of them") {
    Scene s;
    const auto most = static_cast<tier::Position>(limits::tier_positions);
    for (tier::Position at = 1; at <= 2 * most; ++at) {
        s.hear(at, "a.example/" + std::to_string(at));
        if (at % 1000 == 0) s.sweep_all();
    }
    s.sweep_all();
    CHECK_FALSE(s.positions.number_at(most / 2));
    const tier::Position old = 2 * most - most / 2;
    CHECK_FALSE(s.takes(old, "a.example/" + std::to_string(old + 1)));
    CHECK(s.takes(old, "a.example/" + std::to_string(old)));
    CHECK(s.takes(2 * most, "a.example/" + std::to_string(old + 1)));
}

TEST_CASE("in step is for a time only") {
    Scene s;
    CHECK_FALSE(s.positions.in_step(s.clock.now()));
    s.positions.in_step_until(s.clock.now() + std::chrono::seconds(1));
    CHECK(s.positions.in_step(s.clock.now()));
    s.clock.advance(std::chrono::seconds(1));
    CHECK_FALSE(s.positions.in_step(s.clock.now()));
}

TEST_CASE("Redis's clock is ours and what it is ahead") {
    Scene s;
    const std::int64_t ours = s.positions.redis_ms(s.clock.wall());
    s.positions.clock_is_ahead(-250);
    CHECK(s.positions.redis_ms(s.clock.wall()) == ours - 250);
}
