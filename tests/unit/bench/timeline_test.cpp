// A run in slices: merged when it grows long, and watched while it goes on.
#include "bench/load/timeline.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "bench/load/shared_timeline.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

/// `count` answers with 200 that took `latency` each.
Slice slice_at(std::uint64_t index, int count, Duration latency = 1ms) {
    Slice slice;
    slice.index = index;
    Sample sample;
    sample.status = 200;
    sample.done = sample.intended + latency;
    for (int i = 0; i < count; ++i)
        slice.count(sample);
    return slice;
}

std::vector<StatusCounts::Entry> in_order(const StatusCounts& counts) {
    return {counts.entries().begin(), counts.entries().end()};
}

}  // namespace

TEST_CASE("status codes are counted in their order, the rest beyond a bound together") {
    StatusCounts counts;
    counts.add(503, 1);
    counts.add(200, 2);
    counts.add(503, 3);
    CHECK(in_order(counts) == std::vector<StatusCounts::Entry>{{503, 4}, {200, 2}});
    CHECK(counts.sorted() == std::vector<StatusCounts::Entry>{{200, 2}, {503, 4}});
    for (std::uint16_t status = 100; status < 600; ++status)
        counts.add(status, 1);
    CHECK(counts.entries().size() == StatusCounts::most + 1);
    CHECK(counts.sorted().front() == StatusCounts::Entry{0, 500 - StatusCounts::most});
}

TEST_CASE("what failed without a response is not completed, what was not expected is") {
    Slice slice;
    Sample sample;
    sample.failure = Failure::timeout;
    slice.count(sample);
    sample.failure = Failure::unexpected_status;
    sample.status = 404;
    slice.count(sample);
    CHECK(slice.failed == 2);
    CHECK(slice.completed == 1);
    CHECK(slice.by_failure[static_cast<std::size_t>(Failure::timeout)] == 1);
    CHECK(in_order(slice.by_status) == std::vector<StatusCounts::Entry>{{404, 1}});
    CHECK(slice.by_class[0] == 1);
    CHECK(slice.by_class[4] == 1);
}

TEST_CASE("a long run has wider slices, and loses nothing") {
    Timeline timeline(100ms);
    for (std::uint64_t i = 0; i < 4 * Timeline::slices_max; ++i)
        timeline.add(slice_at(i, 1));
    CHECK(timeline.width() == 400ms);
    CHECK(timeline.slices().size() == Timeline::slices_max);
    for (const Slice& slice : timeline.slices()) {
        CHECK(slice.completed == 4);
        CHECK(slice.latency.count() == 4);
        CHECK(in_order(slice.by_status) == std::vector<StatusCounts::Entry>{{200, 4}});
    }
}

TEST_CASE("a timeline keeps its place in memory, and each slice its own when neighbours merge") {
    Timeline timeline(100ms);
    timeline.add(slice_at(0, 1));
    const Slice* const place = timeline.slices().data();
    // Two answers in slice 1, three in 2, …; nothing in every seventh.
    const auto answers = [](std::uint64_t i) {
        return i % 7 == 0 ? 0 : static_cast<int>(i % 5) + 1;
    };
    const std::uint64_t all = 2 * Timeline::slices_max + 3;  // merges twice, the second time for 3
    for (std::uint64_t i = 1; i < all; ++i)
        timeline.add(slice_at(i, answers(i), std::chrono::microseconds(i)));
    CHECK(timeline.slices().data() == place);
    CHECK(timeline.width() == 400ms);
    REQUIRE(timeline.slices().size() == (all + 3) / 4);
    for (const Slice& slice : timeline.slices()) {
        CAPTURE(slice.index);
        CHECK(&slice == place + slice.index);
        std::uint64_t expected = 0, last = 0;
        for (std::uint64_t i = slice.index * 4; i < std::min(slice.index * 4 + 4, all); ++i) {
            expected += static_cast<unsigned>(i == 0 ? 1 : answers(i));
            if (i > 0 && answers(i) > 0) last = i;
        }
        CHECK(slice.completed == expected);
        CHECK(slice.latency.count() == expected);
        CHECK(slice.by_group[0] == expected);
        if (last > 3) CHECK(slice.latency.max() == std::chrono::microseconds(last));
    }
    timeline.add(slice_at(100 * Timeline::slices_max, 1));  // after a long silence
    CHECK(timeline.slices().data() == place);
    CHECK(timeline.slices().size() <= Timeline::slices_max);
    std::uint64_t kept = 0;
    for (const Slice& slice : timeline.slices())
        kept += slice.completed;
    std::uint64_t added = 2;
    for (std::uint64_t i = 1; i < all; ++i)
        added += static_cast<unsigned>(answers(i));
    CHECK(kept == added);
}

TEST_CASE("the last second is without the slices that are still being filled") {
    SharedTimeline timeline(100ms);
    for (std::uint64_t i = 0; i < 30; ++i)
        timeline.add(slice_at(i, i < 18 ? 100 : 1, i == 28 ? 9ms : 1ms));
    const Stretch stretch = timeline.recent(2950ms);  // within slice 29
    CHECK(stretch.length == 1s);
    CHECK(stretch.sum.completed == 10);  // 18 to 27
    CHECK(stretch.sum.latency.max() == 1ms);
    CHECK(timeline.total().completed == 18 * 100 + 12);
    CHECK(timeline.take().slices().size() == 30);
}

TEST_CASE("in the beginning, all there is is recent") {
    SharedTimeline timeline(100ms);
    CHECK(timeline.recent(0ns).sum.completed == 0);
    timeline.add(slice_at(0, 7));
    CHECK(timeline.recent(150ms).sum.completed == 7);
    CHECK(timeline.recent(150ms).length == 150ms);
    const Stretch stretch = timeline.recent(350ms);
    CHECK(stretch.sum.completed == 7);
    CHECK(stretch.length == 200ms);
}

TEST_CASE("silence is seen as such, and a slice may come late or in parts") {
    SharedTimeline timeline(100ms);
    timeline.add(slice_at(3, 50));
    CHECK(timeline.recent(5s).sum.completed == 0);
    timeline.add(slice_at(40, 1));
    timeline.add(slice_at(40, 2));
    timeline.add(slice_at(4, 9));  // its place is taken
    CHECK(timeline.recent(4250ms).sum.completed == 3);
    CHECK(timeline.total().completed == 62);
}
