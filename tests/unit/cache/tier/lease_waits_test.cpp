// Those who wait for a lease: who is woken by what, and on which thread.
#include "cache/tier/lease_waits.hpp"

#include <atomic>
#include <deque>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/support/turns.hpp"

namespace scrollgate::tier {
namespace {

struct Room {
    ManualClock clock;
    EventLoop one{clock, 1, limits::frequency}, other{clock, 2, limits::frequency};
    Counts counts;
    LeaseWaits waits{counts};

    void settle() {
        test::settle(one);
        test::settle(other);
    }
};

/// One that counts how often it is woken.
struct Sleeper {
    Sleeper(LeaseWaits& waits, EventLoop& loop, std::string_view lease)
        : wait(waits, loop, hash128(lease), [this] { ++woken; }) {}
    int woken = 0;
    LeaseWait wait;
};

TEST_CASE("who waits for a lease is woken when that one is free, on the loop of its own") {
    Room room;
    Sleeper a(room.waits, room.one, "x"), b(room.waits, room.other, "x"),
        c(room.waits, room.one, "y");
    room.waits.freed("x");
    CHECK(a.woken + b.woken == 0);  // not within the call
    test::settle(room.one);
    CHECK(a.woken == 1);
    CHECK(b.woken == 0);
    test::settle(room.other);
    CHECK(b.woken == 1);
    CHECK(c.woken == 0);
    CHECK(room.counts.waits_told.load() == 2);
    room.waits.freed("z");
    room.settle();
    CHECK(a.woken + b.woken + c.woken == 2);
}

TEST_CASE("who has gone before it is told is not") {
    Room room;
    auto a = std::make_unique<Sleeper>(room.waits, room.one, "x");
    Sleeper b(room.waits, room.one, "x");
    room.waits.freed("x");
    a.reset();
    room.settle();
    CHECK(b.woken == 1);
}

TEST_CASE("all are woken when no more messages come, and know that they are not told") {
    Room room;
    Sleeper a(room.waits, room.one, "x"), b(room.waits, room.other, "y");
    CHECK_FALSE(a.wait.is_told());
    room.waits.listens(true);
    CHECK(a.wait.is_told());
    room.settle();
    CHECK(a.woken == 0);
    room.waits.listens(false);
    room.settle();
    CHECK(a.woken == 1);
    CHECK(b.woken == 1);
    CHECK_FALSE(a.wait.is_told());
    CHECK(room.counts.waits_told.load() == 0);
}

TEST_CASE("where Redis does not answer, those of that loop look for themselves") {
    Room room;
    Sleeper a(room.waits, room.one, "x"), b(room.waits, room.other, "x");
    room.waits.wake_all(room.one);
    room.settle();
    CHECK(a.woken == 1);
    CHECK(b.woken == 0);
}

TEST_CASE("only so many are told; others look now and then") {
    Room room;
    room.waits.listens(true);
    std::deque<Sleeper> all;
    for (std::size_t i = 0; i < limits::tier_waiters; ++i)
        all.emplace_back(room.waits, room.one, "x");
    CHECK(all.back().wait.is_told());
    {
        Sleeper more(room.waits, room.one, "x");
        CHECK_FALSE(more.wait.is_told());
        room.waits.freed("x");
        room.settle();
        CHECK(more.woken == 0);
    }
    CHECK(all.front().woken == 1);
    all.pop_back();
    Sleeper in_its_place(room.waits, room.one, "x");
    CHECK(in_its_place.wait.is_told());
}

TEST_CASE("messages, losses and waits that come and go on several threads") {
    constexpr std::size_t threads = 3;
    constexpr int rounds = 2000;
    Counts counts;
    LeaseWaits waits(counts);
    std::atomic<bool> over = false;
    std::latch done(threads);
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < threads; ++i)
        workers.emplace_back([&, i] {
            EventLoop loop(system_clock(), i, limits::frequency);
            for (int round = 0; round < rounds; ++round) {
                Sleeper a(waits, loop, "x"), b(waits, loop, round % 2 == 0 ? "x" : "y");
                loop.poll();
                waits.wake_all(loop);
                CHECK(a.woken >= 1);
            }
            done.count_down();
            // Whoever tells it has seen one that waited on it.
            while (!over.load())
                loop.poll();
        });
    std::thread teller([&] {
        // Once at least: the workers may have ended before this thread begins. No more than that,
        // for each time posts to them, and they may get less of the processor than this thread.
        int told = 0;
        do {
            waits.freed("x");
            waits.listens(false);
            waits.listens(true);
        } while (++told < 20'000 && !done.try_wait());
        done.wait();
        over.store(true);
    });
    teller.join();
    for (std::thread& worker : workers)
        worker.join();
    CHECK(waits.listening());
}

}  // namespace
}  // namespace scrollgate::tier
