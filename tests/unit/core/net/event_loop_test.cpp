// The loop's turns: events, what is put off, timers, and calls from other threads.
#include "core/net/event_loop.hpp"

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

/// A descriptor that is readable from rung() on.
struct Bell final : ReadinessHandler {
    Bell() : fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    ~Bell() { ::close(fd); }
    void ring() const { REQUIRE(::eventfd_write(fd, 1) == 0); }
    void ready(std::uint32_t) noexcept override {
        ++heard;
        if (then) then();
    }
    int fd;
    int heard = 0;
    std::function<void()> then;
};

struct Completion final : IoHandler {
    void done(IoResult result) noexcept override { results.push_back(result); }
    std::vector<IoResult> results;
};

struct Ring final : TimerWheel::Timer {
    explicit Ring(EventLoop& ends) : loop(ends) {}
    void expired() noexcept override { loop.stop(); }
    EventLoop& loop;
};

}  // namespace

TEST_CASE("an edge is told once, a level in every turn") {
    EventLoop loop(system_clock(), 1, 1'000);
    Bell edge, level;
    REQUIRE_FALSE(loop.watch(edge.fd, EPOLLIN | EPOLLET, edge));
    REQUIRE_FALSE(loop.watch(level.fd, EPOLLIN, level));
    CHECK_FALSE(loop.poll());
    edge.ring();
    level.ring();
    CHECK(loop.poll());
    CHECK(loop.poll());
    CHECK(edge.heard == 1);
    CHECK(level.heard == 2);
    loop.unwatch(level.fd, level);
    CHECK_FALSE(loop.poll());
    CHECK(loop.watch(-1, EPOLLIN, edge).value() == EBADF);
}

TEST_CASE("a handler that another one forgets in the same turn is not called any more") {
    EventLoop loop(system_clock(), 1, 1'000);
    std::array<Bell, 2> bells;
    for (std::size_t i = 0; i < 2; ++i) {
        REQUIRE_FALSE(loop.watch(bells[i].fd, EPOLLIN | EPOLLET, bells[i]));
        bells[i].then = [&loop, &other = bells[1 - i]] { loop.forget(other); };
        bells[i].ring();
    }
    CHECK(loop.poll());
    CHECK_FALSE(loop.poll());
    CHECK(bells[0].heard + bells[1].heard == 1);
}

TEST_CASE("what is put off runs in order, and what it puts off runs in the next turn") {
    EventLoop loop(system_clock(), 1, 1'000);
    Completion first, second;
    loop.complete_later(first, {1, {}});
    loop.complete_later(second, {2, {}});
    CHECK(first.results.empty());
    CHECK(loop.poll());
    REQUIRE(first.results.size() == 1);
    CHECK(first.results[0].bytes == 1);
    CHECK(second.results.size() == 1);

    struct Again final : IoHandler {
        explicit Again(EventLoop& in) : loop(in) {}
        void done(IoResult) noexcept override {
            if (++count < 3) loop.complete_later(*this, {});
        }
        EventLoop& loop;
        int count = 0;
    } again(loop);
    loop.complete_later(again, {});
    CHECK(loop.poll());
    CHECK(again.count == 1);
    CHECK(loop.poll());
    CHECK(loop.poll());
    CHECK_FALSE(loop.poll());
    CHECK(again.count == 3);
}

TEST_CASE("other threads post, in their order, and stop a loop that sleeps") {
    EventLoop loop(system_clock(), 1, 1'000);
    std::vector<int> seen;
    std::thread other([&] {
        for (int i = 0; i < 1'000; ++i)
            loop.post([&seen, i] { seen.push_back(i); });
        loop.post([&] { loop.post([&] { loop.stop(); }); });
    });
    loop.run();
    other.join();
    REQUIRE(seen.size() == 1'000);
    for (int i = 0; i < 1'000; ++i)
        CHECK(seen[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a loop without descriptors or posts wakes for its timers") {
    EventLoop loop(system_clock(), 1, 1'000);
    Ring never_rings(loop), rings(loop);
    loop.arm(never_rings, loop.now() + 24h);
    const TimePoint due = loop.now() + 3ms;
    loop.arm(rings, due);
    loop.run();
    CHECK(loop.now() >= due);
    CHECK_FALSE(rings.armed());
    CHECK(never_rings.armed());
}
