// Pipes are few, empty when they are leased, and none at all where a splice could kill the process.
#include "core/net/pipe_pool.hpp"

#include <csignal>

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/limits.hpp"
#include "tests/unit/core/net/socket_line.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("a pipe takes at least what makes it worth while") {
    const SigpipeIgnored ignored;
    const std::unique_ptr<Pipe> pipe = Pipe::open();
    REQUIRE(pipe);
    CHECK(pipe->size() >= limits::pipe_size_least);
    CHECK(pipe->held() == 0);
}

TEST_CASE("no pipe while SIGPIPE would end the process") {
    void (*const before)(int) = std::signal(SIGPIPE, SIG_DFL);
    CHECK(Pipe::open() == nullptr);
    std::signal(SIGPIPE, before);
}

TEST_CASE("pipes are bounded, and few free ones stay") {
    const SigpipeIgnored ignored;
    PipePool pool(3, 2);
    {
        PipeLease one = pool.lease(), two = pool.lease(), three = pool.lease();
        REQUIRE(three);
        CHECK_FALSE(pool.lease());
        CHECK(pool.leased() == 3);
        two.release();
        CHECK_FALSE(two);
        CHECK(pool.lease());
    }
    CHECK(pool.leased() == 0);
    CHECK(pool.idle() == 2);
}

TEST_CASE("what is leased is empty: a pipe that comes back with bytes in it is closed") {
    const SigpipeIgnored ignored;
    PipePool pool(1, 1);
    PipeLease lease = pool.lease();
    REQUIRE(lease);
    REQUIRE(::write(lease->entry(), "left", 4) == 4);
    lease->gained(4);
    SUBCASE("by release()") {
        lease.release();
    }
    SUBCASE("by another lease in its place") {
        lease = PipeLease();
    }
    CHECK(pool.leased() == 0);
    CHECK(pool.idle() == 0);
    lease = pool.lease();
    REQUIRE(lease);
    char byte = 0;
    CHECK(::read(lease->exit(), &byte, 1) < 0);
    CHECK(errno == EAGAIN);
}

TEST_CASE("a moved lease leaves nothing behind") {
    const SigpipeIgnored ignored;
    PipePool pool(1, 1);
    PipeLease first = pool.lease();
    PipeLease second = std::move(first);
    CHECK_FALSE(first);
    first.release();
    CHECK(pool.leased() == 1);
    second = std::move(first);
    CHECK(pool.leased() == 0);
    CHECK(pool.idle() == 1);
}
