// That an alarm rings once, and that it leaves no work behind.
#include "core/net/alarm.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

TEST_CASE("an alarm rings once, and what was set before is forgotten") {
    boost::asio::io_context io;
    AsioAlarm alarm(io);
    std::string rung;
    alarm.set(0s, [&] { rung += 'a'; });
    alarm.set(1ms, [&] {
        rung += 'b';
        if (rung.size() < 3) alarm.set(0s, [&] { rung += 'c'; });
    });
    io.run();  // returns when nothing is set any more
    CHECK(rung == "bc");
}

TEST_CASE("a cancelled alarm leaves the io_context without work") {
    boost::asio::io_context io;
    AsioAlarm alarm(io);
    bool rung = false;
    alarm.set(1h, [&] { rung = true; });
    alarm.cancel();
    io.run();
    CHECK_FALSE(rung);
}

TEST_CASE("an alarm that is due but not yet served can still be called off") {
    boost::asio::io_context io;
    bool rung = false;
    {
        AsioAlarm alarm(io);
        alarm.set(0s, [&] { rung = true; });
    }
    io.run();
    CHECK_FALSE(rung);
}
