// LifeWatch: when a silent client is asked, and when it is given up.
#include "proxy/http2/life_watch.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;
using Next = LifeWatch::Next;

namespace {

constexpr TimePoint start{1'000s};
constexpr Duration wait = limits::http2_client_ping_wait;

}  // namespace

TEST_CASE("nobody is watched who makes no calls") {
    LifeWatch watch;
    CHECK(watch.due() == never);
    watch.call_began(start, 0, 30s);
    watch.call_began(start + 1s, 0, 30s);
    CHECK(watch.due() == start + 30s);
    watch.call_ended();
    CHECK(watch.due() == start + 30s);
    watch.call_ended();
    CHECK(watch.due() == never);
}

TEST_CASE("whoever says something is not asked") {
    LifeWatch watch;
    watch.call_began(start, 10, 30s);
    CHECK(watch.look(start + 30s, 11) == Next::wait);
    CHECK(watch.due() == start + 60s);
}

TEST_CASE("an answer is good for another silence") {
    LifeWatch watch;
    watch.call_began(start, 10, 30s);
    TimePoint now = start;
    std::uint64_t heard = 10;
    for (int i = 0; i < 5; ++i) {
        now = watch.due();
        CHECK(watch.look(now, heard) == Next::ask);
        CHECK(watch.due() == now + wait);
        heard += 17;
        now = watch.due();
        CHECK(watch.look(now, heard) == Next::wait);
        CHECK(watch.due() == now + 30s);
    }
}

TEST_CASE("without an answer it is given up") {
    LifeWatch watch;
    watch.call_began(start, 10, 30s);
    CHECK(watch.look(start + 30s, 10) == Next::ask);
    CHECK(watch.look(start + 30s + wait, 10) == Next::give_up);
}

TEST_CASE("a question to calls that are over is forgotten") {
    LifeWatch watch;
    watch.call_began(start, 10, 30s);
    CHECK(watch.look(start + 30s, 10) == Next::ask);
    watch.call_ended();
    watch.call_began(start + 40s, 10, 30s);
    CHECK(watch.due() == start + 70s);
    CHECK(watch.look(start + 70s, 10) == Next::ask);
}

TEST_CASE("without a limit nobody is asked") {
    LifeWatch watch;
    watch.call_began(start, 10, no_limit);
    CHECK(watch.due() == never);
}
