// Frames by their heads: what is too much, and what cannot be.
#include "core/http2/flood_watch.hpp"

#include <string>

#include <doctest/doctest.h>

#include "tests/support/http2_peer.hpp"

using namespace scrollgate;
using namespace scrollgate::http2;
using test::http2_frame;

namespace {

const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr TimePoint start{};

struct Answered final : FloodWatch::Streams {
    bool answered(std::int32_t id) const noexcept override { return id <= last; }
    std::int32_t last = 0;
};
const Answered none;

std::string times(int count, const std::string& frame) {
    std::string all;
    for (int i = 0; i < count; ++i)
        all += frame;
    return all;
}

}  // namespace

TEST_CASE("frames that carry nothing are a flood beyond the bound, and not before") {
    const auto most = static_cast<int>(limits::http2_noise);
    struct Case {
        std::uint8_t type;
        std::string payload;
        Flood flood;
    };
    for (const Case& one : {Case{4, "", Flood::settings}, Case{6, "12345678", Flood::ping},
                            Case{8, "1234", Flood::window}, Case{2, "12345", Flood::priority},
                            Case{16, "1234u=1", Flood::priority}, Case{0x42, "", Flood::unknown}}) {
        FloodWatch watch(none, start);
        const std::string frame = http2_frame(one.type, 0, one.type == 2 ? 1 : 0, one.payload);
        CHECK(watch.look(preface + times(most, frame), start) == Flood::none);
        CHECK(watch.look(frame, start) == one.flood);
    }
}

TEST_CASE("time and what is carried fill the bucket again") {
    const std::string ping = http2_frame(6, 0, 0, "12345678");
    const auto most = static_cast<int>(limits::http2_noise);
    FloodWatch watch(none, start);
    CHECK(watch.look(preface + times(most, ping), start) == Flood::none);
    watch.earn();
    CHECK(watch.look(times(4, ping), start) == Flood::none);
    const TimePoint later = start + std::chrono::seconds(1);
    CHECK(watch.look(times(static_cast<int>(limits::http2_noise_rate), ping), later) ==
          Flood::none);
    CHECK(watch.look(ping, later) == Flood::ping);
}

TEST_CASE("resets of either side count together") {
    FloodWatch watch(none, start);
    std::string resets = preface;
    const auto half = static_cast<int>(limits::http2_resets) / 2;
    for (int i = 0; i < half; ++i) {
        resets += http2_frame(1, 5, 2 * i + 1, "") + http2_frame(3, 0, 2 * i + 1, "1234");
        CHECK(watch.had_to_reset(ResetFor::fault) == Flood::none);
    }
    CHECK(watch.look(resets, start) == Flood::none);
    CHECK(watch.had_to_reset(ResetFor::fault) == Flood::provoked);
    CHECK(watch.look(http2_frame(3, 0, 1, "1234"), start) == Flood::reset);
}

TEST_CASE("a stream that is broken off when its answer has begun counts little") {
    Answered streams;
    streams.last = 1'000'000;
    FloodWatch watch(streams, start);
    const auto most = static_cast<int>(limits::http2_resets / limits::http2_late_reset);
    std::string resets = preface;
    for (int i = 0; i < most - 1; ++i)
        resets += http2_frame(1, 5, 2 * i + 1, "") + http2_frame(3, 0, 2 * i + 1, "1234");
    CHECK(watch.look(resets, start) == Flood::none);
    CHECK(watch.look(times(2, http2_frame(3, 0, 1, "1234")), start) == Flood::reset);
}

TEST_CASE("a section has so many CONTINUATION frames") {
    FloodWatch watch(none, start);
    const std::string piece = http2_frame(9, 0, 1, "");
    CHECK(watch.look(preface + http2_frame(1, 0, 1, "x"), start) == Flood::none);
    CHECK(watch.in_section());
    CHECK(watch.look(times(limits::http2_continuations, piece), start) == Flood::none);
    CHECK(watch.look(piece, start) == Flood::continuation);
    FloodWatch other(none, start);
    CHECK(other.look(preface + http2_frame(1, 0, 1, "") + http2_frame(9, 4, 1, ""), start) ==
          Flood::none);
    CHECK_FALSE(other.in_section());
}

TEST_CASE("CONTINUATION frames have the size of others") {
    FloodWatch watch(none, start);
    CHECK(watch.look(
              preface + http2_frame(1, 0, 1, "x") + http2_frame(9, 0, 1, std::string(16384, '\0')),
              start) == Flood::none);
    CHECK(watch.look(http2_frame(9, 0, 1, std::string(16385, '\0')), start) == Flood::frame_size);
}

TEST_CASE("streams that the peer has ended, and numbers that go back, are seen") {
    const std::string head = preface + http2_frame(1, 4, 5, "");
    const auto judge = [&](const std::string& next) {
        FloodWatch watch(none, start);
        return watch.look(head + next, start);
    };
    CHECK(judge(http2_frame(0, 0, 5, "x") + http2_frame(1, 5, 5, "")) == Flood::none);
    CHECK(judge(http2_frame(0, 1, 5, "x") + http2_frame(0, 0, 5, "x")) == Flood::stream_closed);
    CHECK(judge(http2_frame(0, 1, 5, "x") + http2_frame(1, 5, 5, "x")) == Flood::stream_closed);
    CHECK(judge(http2_frame(3, 0, 5, "1234") + http2_frame(0, 0, 5, "x")) == Flood::stream_closed);
    CHECK(judge(http2_frame(3, 0, 5, "1234") + http2_frame(3, 0, 5, "1234")) == Flood::none);
    CHECK(judge(http2_frame(1, 5, 3, "")) == Flood::stream_number);
    CHECK(judge(http2_frame(1, 5, 7, "") + http2_frame(0, 1, 5, "x")) == Flood::none);
    CHECK(judge(http2_frame(1, 5, 4001, "") + http2_frame(0, 0, 5, "x")) == Flood::none);
}

TEST_CASE("how bytes are cut does not matter") {
    const std::string input = preface + http2_frame(1, 4, 1, "abc") +
                              http2_frame(0, 1, 1, "defgh") + http2_frame(0, 1, 1, "");
    FloodWatch watch(none, start);
    Flood seen = Flood::none;
    for (std::size_t i = 0; i < input.size() && seen == Flood::none; ++i)
        seen = watch.look(input.substr(i, 1), start);
    CHECK(seen == Flood::stream_closed);
}
