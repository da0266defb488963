// The wheel against a list of due ticks, with random arms, moves, disarms and deaths; then what the
// head of timer_wheel.hpp promises, one promise a test.
#include "core/timer_wheel.hpp"

#include <memory>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

const TimePoint base{1000s + 7ns};

std::uint64_t ticks_until(TimePoint when, std::uint32_t frequency, bool round_up) {
    if (when <= base) return 0;
    const auto elapsed = static_cast<unsigned __int128>((when - base).count()) * frequency;
    return static_cast<std::uint64_t>((elapsed + (round_up ? 999'999'999U : 0U)) / 1'000'000'000U);
}

/// The wheel beside the naive model; both see the same calls.
class Model {
  public:
    Model(std::uint32_t frequency, std::uint64_t seed)
        : frequency_(frequency), rng_(seed), wheel_(frequency, base) {
        for (std::size_t i = 0; i < 40; ++i)
            timers_.push_back(std::make_unique<Timer>(*this, i));
        due_.resize(timers_.size());
    }

    void step() {
        const std::size_t i = rng_.below(timers_.size());
        switch (rng_.below(8)) {
            case 0:
                disarm(i);
                break;
            case 1:
                destroy(i);
                break;
            case 2:
            case 3:
                turn(now_ + any_span());
                break;
            case 4:
                if (wheel_.next() != never) turn(std::max(now_, wheel_.next()));
                break;
            default:
                arm(i, now_ + any_span() - (rng_.below(4) == 0 ? 10s : 0s));
        }
        check_next();
    }

  private:
    struct Timer final : TimerWheel::Timer {
        Timer(Model& of, std::size_t number) : model(of), index(number) {}
        void expired() noexcept override { model.fired(index); }
        Model& model;
        std::size_t index;
    };

    /// From nothing over a few ticks to far beyond the horizon (64^4 ticks).
    Duration any_span() {
        const std::uint64_t tick = 1'000'000'000U / frequency_;
        std::uint64_t most = tick;
        const std::uint64_t grow = rng_.below(6);
        for (std::uint64_t i = 0; i < grow; ++i)
            most *= i < 4 ? 64 : 8;
        return Duration(static_cast<std::int64_t>(rng_.below(most)));
    }
    void arm(std::size_t i, TimePoint when) {
        wheel_.arm(*timers_[i], when);
        due_[i] = std::max(ticks_until(when, frequency_, true), turned_ + 1);
        CHECK(timers_[i]->armed());
    }
    void disarm(std::size_t i) {
        timers_[i]->disarm();
        due_[i].reset();
        CHECK_FALSE(timers_[i]->armed());
    }
    void destroy(std::size_t i) {
        timers_[i] = std::make_unique<Timer>(*this, i);
        due_[i].reset();
    }

    void turn(TimePoint to) {
        now_ = to;
        target_ = ticks_until(to, frequency_, false);
        wheel_.turn(to);
        turned_ = std::max(turned_, target_);
        for (const std::optional<std::uint64_t>& due : due_) {
            if (due) REQUIRE(*due > target_);
        }
    }

    void fired(std::size_t i) {
        REQUIRE(due_[i].has_value());
        REQUIRE(*due_[i] <= target_);
        REQUIRE_FALSE(timers_[i]->armed());
        due_[i].reset();
        const std::size_t other = rng_.below(timers_.size());
        switch (rng_.below(5)) {
            case 0:
                wheel_.arm(*timers_[i], now_ + 1ns);
                due_[i] = ticks_until(now_ + 1ns, frequency_, true);
                break;
            case 1:
                disarm(other);
                break;
            case 2:
                destroy(other);  // perhaps this one
                break;
            default:
                break;
        }
    }

    void check_next() {
        std::optional<std::uint64_t> earliest;
        for (const std::optional<std::uint64_t>& due : due_) {
            if (due && (!earliest || *due < *earliest)) earliest = due;
        }
        const TimePoint next = wheel_.next();
        REQUIRE((next == never) == !earliest.has_value());
        if (!earliest) return;
        REQUIRE(ticks_until(next, frequency_, false) <= *earliest);
        REQUIRE(ticks_until(next, frequency_, false) > turned_);  // or it would be asked for ever
    }

    std::uint32_t frequency_;
    FastRng rng_;
    TimerWheel wheel_;
    std::vector<std::unique_ptr<Timer>> timers_;
    std::vector<std::optional<std::uint64_t>> due_;
    TimePoint now_ = base;
    std::uint64_t target_ = 0, turned_ = 0;
};

struct Note final : TimerWheel::Timer {
    void expired() noexcept override { ++count; }
    int count = 0;
};

}  // namespace

TEST_CASE("the wheel fires what a plain list of due ticks says, whatever is done to its timers") {
    const std::uint64_t seed = random_seed();
    INFO("seed ", seed);
    for (const std::uint32_t frequency : {10U, 528U, 10'000U}) {
        for (std::uint64_t round = 0; round < 20; ++round) {
            INFO("frequency ", frequency, ", round ", round);
            Model model(frequency, seed + round);
            for (int steps = 0; steps < 1'500; ++steps)
                model.step();
        }
    }
}

TEST_CASE("a timer fires at its tick and not before, on both sides of every turn's end") {
    for (const std::uint64_t border : {64ULL, 4096ULL, 262'144ULL, 16'777'216ULL}) {
        for (std::uint64_t tick = border - 2; tick <= border + 2; ++tick) {
            TimerWheel wheel(1'000, base);
            Note note;
            const TimePoint when = base + tick * 1ms;
            wheel.arm(note, when);
            wheel.turn(when - 1ns);
            CHECK_MESSAGE(note.count == 0, "tick ", tick);
            wheel.turn(when);
            CHECK_MESSAGE(note.count == 1, "tick ", tick);
        }
    }
}

TEST_CASE("timers armed just before a turn's end fire just after it") {
    for (const std::uint64_t border : {64ULL, 4096ULL, 262'144ULL, 16'777'216ULL, 33'554'432ULL}) {
        for (const std::uint64_t ahead :
             {1ULL, 2ULL, 63ULL, 64ULL, 65ULL, 4096ULL, 16'777'215ULL}) {
            TimerWheel wheel(1'000, base);
            wheel.turn(base + (border - 1) * 1ms);
            Note note;
            const TimePoint when = base + (border - 1 + ahead) * 1ms;
            wheel.arm(note, when);
            wheel.turn(when - 1ns);
            CHECK_MESSAGE(note.count == 0, border, " + ", ahead);
            wheel.turn(when);
            CHECK_MESSAGE(note.count == 1, border, " + ", ahead);
        }
    }
}

TEST_CASE("a timer beyond the horizon is reached by following next() alone") {
    TimerWheel wheel(528, base);
    Note note;
    const TimePoint when = base + 24h * 30;
    wheel.arm(note, when);
    int turns = 0;
    TimePoint now = base;
    while (note.count == 0 && turns < 1'000) {
        REQUIRE(wheel.next() != never);
        REQUIRE(wheel.next() > now);
        now = wheel.next();
        wheel.turn(now);
        ++turns;
    }
    CHECK(note.count == 1);
    CHECK(now >= when);
    CHECK(now - when < 2ms);  // one tick of 528 Hz
    CHECK(turns < 200);       // it sleeps in long stretches
    CHECK(wheel.next() == never);
}

TEST_CASE("a time that has passed fires at the next turn") {
    TimerWheel wheel(100, base);
    wheel.turn(base + 5s);
    Note note;
    wheel.arm(note, base + 1s);
    CHECK(note.count == 0);
    wheel.turn(base + 5s + 10ms);
    CHECK(note.count == 1);
}

TEST_CASE("a moved timer fires once, at its new time") {
    TimerWheel wheel(100, base);
    Note note;
    wheel.arm(note, base + 1s);
    wheel.arm(note, base + 3s);
    wheel.turn(base + 2s);
    CHECK(note.count == 0);
    wheel.turn(base + 3s);
    CHECK(note.count == 1);
    CHECK_FALSE(note.armed());
    wheel.turn(base + 1h);
    CHECK(note.count == 1);
}

TEST_CASE("a disarmed timer, or one that is gone, leaves the wheel asleep") {
    TimerWheel wheel(528, base);
    CHECK(wheel.next() == never);
    Note note;
    {
        Note gone;
        wheel.arm(gone, base + 1s);
        wheel.arm(note, base + 100h);
    }
    note.disarm();
    CHECK(wheel.next() == never);
    wheel.turn(base + 200h);
    CHECK(note.count == 0);
}

TEST_CASE("a timer that outlives its wheel is not armed any more") {
    Note note;
    {
        TimerWheel wheel(528, base);
        wheel.arm(note, base + 1s);
    }
    CHECK_FALSE(note.armed());
}

TEST_CASE("a clock that goes back fires nothing twice") {
    TimerWheel wheel(528, base);
    Note note;
    wheel.arm(note, base + 1s);
    wheel.turn(base + 2s);
    wheel.turn(base + 1s);
    wheel.turn(base - 1s);
    wheel.turn(base + 3s);
    CHECK(note.count == 1);
}
