// A Connection over a scripted stream, for tests that look at one from both ends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/net/connection.hpp"
#include "core/task.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/turns.hpp"

namespace scrollgate::test {

using namespace std::chrono_literals;

struct Watched final : Connection {
    using Connection::Connection;
    void input_seen() noexcept override { ++seen; }
    int seen = 0;
};

/// A connection and its far end, on a clock of its own.
struct Line {
    Line() {
        loop.emplace(clock, 1, 1'000);
        peer = std::make_shared<ScriptedPeer>(*loop, faults);
        connection = std::make_unique<Watched>(*loop, make_scripted_stream(peer));
    }
    ~Line() {
        connection->close();
        settle();
        CHECK_FALSE(connection->busy());
        connection.reset();
        CHECK(loop->small_buffers().leased() == 0);
        CHECK(loop->bulk_buffers().leased() == 0);
        CHECK(loop->spare_buffers().leased() == 0);
        CHECK(faults.complaints == std::vector<std::string>{});
        CHECK(faults.alive == 0);
    }
    void settle() { test::settle(*loop); }
    void pass(Duration by) { test::pass(*loop, clock, by); }
    Watched& operator*() const { return *connection; }
    Watched* operator->() const { return connection.get(); }

    FarClock far;
    ManualClock& clock = far.clock;
    Faults faults;
    std::optional<EventLoop> loop;
    std::shared_ptr<ScriptedPeer> peer;
    std::unique_ptr<Watched> connection;
};

inline detail::Detached await_more(Connection& connection, std::string& log) {
    const bool came = co_await connection.more();
    log += came ? "+" : "-";
}

}  // namespace scrollgate::test
