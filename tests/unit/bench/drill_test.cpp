// What a drill concludes from a timeline, and what it reads from the kernel.
#include "bench/drill/drill.hpp"

#include <doctest/doctest.h>

#include "bench/drill/kernel_sockets.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

/// Slices of 100 ms; a failure where `latency` is 0.
Timeline timeline_of(const std::vector<Duration>& latencies) {
    Timeline timeline(100ms);
    for (std::size_t i = 0; i < latencies.size(); ++i) {
        Slice slice;
        slice.index = i;
        Sample sample;
        sample.status = 200;
        sample.done = sample.intended + latencies[i];
        if (latencies[i] == 0ms) sample.failure = Failure::reset;
        slice.count(sample);
        timeline.add(slice);
    }
    return timeline;
}

}  // namespace

TEST_CASE("clean again: behind the last failure and the last unusual latency") {
    const DrillResult late = judge_drill(timeline_of({5ms, 8ms, 7ms, 0ms, 60ms, 9ms, 5ms}), 250ms);
    CHECK(late.failed == 1);
    CHECK(late.longest_before == 8ms);
    CHECK(late.longest_after == 60ms);
    CHECK(late.until_clean == Duration(250ms));
    const DrillResult unhurt = judge_drill(timeline_of({5ms, 8ms, 7ms, 9ms}), 250ms);
    CHECK(unhurt.until_clean == Duration(0));
    CHECK(unhurt.failed == 0);
    const DrillResult never_clean = judge_drill(timeline_of({5ms, 8ms, 0ms, 0ms}), 250ms);
    CHECK_FALSE(never_clean.until_clean);
    const DrillResult empty = judge_drill(timeline_of({}), 250ms);
    CHECK(empty.failed == 0);
}

TEST_CASE("the kernel's table of connections") {
    const auto sockets = parse_kernel_sockets(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout "
        "inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        "
        "0 "
        "4711 1 0000000000000000 100 0 0 10 0\n"
        "   1: 0100007F:1F90 0200007F:C350 01 00000010:0000002B 00:00000000 00000000     0        "
        "0 "
        "99 1 0000000000000000 20 4 30 10 -1\n"
        "   2: 00000000000000000000000001000000:01BB 00000000000000000000000001000000:C351 08 "
        "00000000:00000000 00:00000000 00000000 0 0 5 1\n"
        "rubbish\n");
    REQUIRE(sockets.size() == 3);
    CHECK(sockets[0].state == 10);
    CHECK(sockets[0].local_ip == "127.0.0.1");
    CHECK(sockets[0].local_port == 8080);
    CHECK(sockets[0].inode == 4711);
    CHECK(sockets[1].remote_ip == "127.0.0.2");
    CHECK(sockets[1].remote_port == 50'000);
    CHECK(sockets[1].unacknowledged == 16);
    CHECK(sockets[1].unread == 43);
    CHECK(sockets[2].local_ip == "::1");
    CHECK(sockets[2].state == 8);
}
