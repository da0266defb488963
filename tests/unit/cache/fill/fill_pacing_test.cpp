// How fast a fill may be written, who paces it, and what it keeps meanwhile.

#include <memory>

#include <doctest/doctest.h>

#include "cache/fill/fill.hpp"
#include "tests/unit/cache/fill/fill_world.hpp"

namespace scrollgate {
namespace {

using namespace testing;
using World = FillWorld;

TEST_CASE("the writer does not wait while nobody reads") {
    World world;
    world.fill->head(shared_head());
    Writer writer(world.fill, world.loop);
    writer.start(3 * limits::fill_window / piece, piece);
    CHECK_FALSE(writer.running());
    CHECK(writer.needed);
    CHECK(world.fill->length() == 3 * limits::fill_window);
}

TEST_CASE("the writer runs ahead of the fastest reader by one window, not of the slowest") {
    World world;
    Follower fast(world.fill, world.loop), slow(world.fill, world.other);
    world.fill->head(shared_head());
    Writer writer(world.fill, world.loop);
    constexpr std::size_t window = limits::fill_window / piece;
    writer.start(4 * window, piece);
    CHECK(writer.running());
    CHECK(writer.written == window);
    fast.start(1);
    settle(world.loop);
    CHECK(writer.written == window + 1);
    fast.start(window);
    settle(world.loop);
    CHECK(writer.written == 2 * window + 1);
    CHECK(writer.running());
    slow.start(window);  // behind the fastest: changes nothing
    settle(world.other);
    settle(world.loop);
    CHECK(writer.written == 2 * window + 1);
    slow.start(2 * window);  // now it is the fastest, on another worker
    settle(world.other);
    CHECK(writer.written == 2 * window + 1);
    settle(world.loop);
    CHECK(writer.written > 2 * window + 1);
}

TEST_CASE("the last reader of a shared fill leaves: the writer goes on without anybody") {
    World world;
    auto reader = std::make_unique<Follower>(world.fill, world.other);
    world.fill->head(shared_head());
    Writer writer(world.fill, world.loop);
    writer.start(2 * limits::fill_window / piece, piece);
    CHECK(writer.running());
    reader.reset();
    settle(world.loop);
    CHECK_FALSE(writer.running());
    CHECK(writer.needed);
}

TEST_CASE("a private fill keeps little, and is given up with its last reader") {
    World world;
    auto leader = std::make_unique<Follower>(world.fill, world.loop);
    world.fill->head(private_head());
    Writer writer(world.fill, world.loop);
    writer.start(1000, piece);
    CHECK(writer.running());
    CHECK(writer.written <= limits::fill_flow / piece + 1);
    leader->start(500);
    settle(world.loop);
    CHECK(leader->body.size() > 490 * piece);
    CHECK(is_body(leader->body, leader->body.size()));
    CHECK(writer.written <= 500 + limits::fill_flow / piece + 1);
    CHECK(world.store.numbers().bytes < 2 * limits::fill_flow);
    leader.reset();
    settle(world.loop);
    CHECK_FALSE(writer.running());
    CHECK_FALSE(writer.needed);
    CHECK_FALSE(world.append(1));
}

TEST_CASE("what nobody reads cannot be private: the first append says so") {
    World world;
    world.fill->head(private_head());
    CHECK_FALSE(world.append(1));
}

TEST_CASE("an outgrown fill goes on for its readers at the pace of the slowest") {
    World world;
    Follower fast(world.fill, world.loop), slow(world.fill, world.other);
    world.fill->head(shared_head());
    CHECK(world.append(piece));
    world.fill->outgrow(CacheReason::too_large);
    CHECK(world.fill->outgrown() == CacheReason::too_large);
    CHECK_FALSE(world.fill->suits(HeaderList()));
    Writer writer(world.fill, world.loop);
    writer.start(99, piece);
    fast.start();
    settle(world.loop);
    CHECK(writer.running());
    CHECK(writer.written <= limits::fill_flow / piece + 1);
    slow.start();
    while (writer.running()) {
        settle(world.other);
        settle(world.loop);
    }
    Follower late(world.fill, world.loop);
    CHECK(late.reader.missed());
    CHECK(late.reader.broken());
    CHECK(late.reader.take().empty());
    world.fill->complete({});
    settle(world.loop);
    settle(world.other);
    CHECK(is_body(fast.body, 100 * piece));
    CHECK(is_body(slow.body, 100 * piece));
    CHECK(slow.reader.at_end());
}

TEST_CASE("a reader that holds up the others of an outgrown fill is cut off in the end") {
    World world;
    Follower fast(world.fill, world.loop), slow(world.fill, world.other);
    FillReader idle(world.fill, world.other);  // has not begun at all
    world.fill->head(shared_head());
    CHECK(world.append(piece));
    world.fill->outgrow(CacheReason::too_large);
    Writer writer(world.fill, world.loop);
    writer.start(99, piece);
    fast.start();
    slow.start(1);
    settle(world.loop);
    settle(world.other);
    CHECK(writer.running());
    world.clock.advance(limits::fill_patience + std::chrono::milliseconds(50));
    world.loop.turn_timers();
    settle(world.loop);
    CHECK_FALSE(writer.running());
    CHECK(writer.needed);
    slow.start(1000);
    CHECK(slow.reader.broken());
    CHECK(idle.take().empty());
    CHECK(idle.broken());
    CHECK(slow.reader.error().kind == ErrorKind::overloaded);
    CHECK(world.store.numbers().bytes < limits::cache_memory / 100);
    world.fill->complete({});
    settle(world.loop);
    CHECK(is_body(fast.body, 100 * piece));
    CHECK(fast.reader.at_end());
}

TEST_CASE(
    "a reader that takes a little now and then holds up the others as long as one that does not") {
    World world;
    Follower fast(world.fill, world.loop), dripping(world.fill, world.other);
    world.fill->head(shared_head());
    CHECK(world.append(piece));
    world.fill->outgrow(CacheReason::too_large);
    Writer writer(world.fill, world.loop);
    writer.start(999, piece);
    fast.start();
    dripping.start(1);
    settle(world.loop);
    Duration waited{};
    while (!dripping.reader.broken() && waited < 10 * limits::fill_patience) {
        const Duration step = limits::fill_patience * 3 / 5;
        world.clock.advance(step);
        waited += step;
        world.loop.turn_timers();
        settle(world.loop);
        dripping.start(1);
        settle(world.other);
        settle(world.loop);
    }
    CHECK(dripping.reader.broken());
    CHECK(waited <= 2 * limits::fill_patience);
    settle(world.loop);
    CHECK_FALSE(writer.running());
    world.fill->complete({});
    settle(world.loop);
    CHECK(fast.reader.at_end());
}

TEST_CASE("who takes enough is waited for, however long it takes in all") {
    World world;
    Follower fast(world.fill, world.loop), steady(world.fill, world.other);
    world.fill->head(shared_head());
    CHECK(world.append(piece));
    world.fill->outgrow(CacheReason::too_large);
    Writer writer(world.fill, world.loop);
    writer.start(999, piece);
    fast.start();
    steady.start(1);
    settle(world.loop);
    while (writer.running()) {
        world.clock.advance(limits::fill_patience * 3 / 5);
        world.loop.turn_timers();
        settle(world.loop);
        steady.start(limits::fill_flow / piece + 1);
        settle(world.other);
        settle(world.loop);
    }
    CHECK_FALSE(steady.reader.broken());
    world.fill->complete({});
    steady.start(1000);
    settle(world.loop);
    settle(world.other);
    CHECK(steady.reader.at_end());
}

TEST_CASE("the slowest of all is waited for while nobody is ahead of it") {
    World world;
    Follower one(world.fill, world.loop), two(world.fill, world.loop);
    world.fill->head(shared_head());
    CHECK(world.append(piece));
    world.fill->outgrow(CacheReason::too_large);
    Writer writer(world.fill, world.loop);
    writer.start(99, piece);
    one.start(1);
    two.start(1);
    settle(world.loop);
    world.clock.advance(10 * limits::fill_patience);
    world.loop.turn_timers();
    settle(world.loop);
    CHECK(writer.running());
    one.start(1000);
    two.start(1000);
    settle(world.loop);
    world.fill->complete({});
    settle(world.loop);
    CHECK(is_body(one.body, 100 * piece));
    CHECK(is_body(two.body, 100 * piece));
}

TEST_CASE("the view of the last take stays while the fill lets go of what is behind it") {
    World world;
    FillReader reader(world.fill, world.loop);
    world.fill->head(shared_head());
    CHECK(world.append(limits::fill_first));
    CHECK(world.append(piece));
    const std::string_view view = reader.take();
    world.fill->outgrow(CacheReason::too_large);
    world.fill->complete({});
    CHECK(is_body(view, limits::fill_first));
    CHECK(is_body(reader.take(), piece, limits::fill_first));
}

TEST_CASE("without room in the store a fill outgrows by itself and goes on in a small window") {
    World world(limits::cache_memory_min);
    Follower reader(world.fill, world.loop);
    world.fill->head(shared_head());
    while (world.fill->outgrown() == CacheReason::none)
        REQUIRE(world.append(piece));
    CHECK(world.fill->outgrown() == CacheReason::no_memory);
    CHECK(world.fill->length() <= limits::cache_memory_min + piece);
    const std::size_t before = world.fill->length() / piece;
    Writer writer(world.fill, world.loop);
    writer.start(100, piece);
    CHECK(writer.running());
    CHECK(writer.written <= 1);
    reader.start();
    settle(world.loop);
    CHECK_FALSE(writer.running());
    world.fill->complete({});
    settle(world.loop);
    CHECK(is_body(reader.body, (before + 100) * piece));
}

TEST_CASE("what the store has no room for is held one segment at a time") {
    World world(limits::cache_memory_min);
    std::size_t taken = 0;
    while (world.store.reserve(1024))
        taken += 1024;
    Follower reader(world.fill, world.loop);
    world.fill->head(private_head());
    Writer writer(world.fill, world.loop);
    writer.start(20, piece);
    CHECK(writer.written == 2);
    reader.start();
    settle(world.loop);
    CHECK(writer.written == 20);
    CHECK(is_body(reader.body, 20 * piece));
    world.store.release(taken);
}

TEST_CASE("a writer that is called off does not wait any longer") {
    World world;
    Follower reader(world.fill, world.other);
    world.fill->head(shared_head());
    Writer writer(world.fill, world.loop);
    writer.start(1000, piece);
    CHECK(writer.running());
    world.fill->give_up();
    CHECK(writer.running());
    settle(world.loop);
    CHECK_FALSE(writer.running());
    CHECK_FALSE(writer.needed);
}

TEST_CASE("all memory of a fill is given back, whoever goes last") {
    World world;
    const std::uint64_t before = world.store.numbers().bytes;
    {
        auto reader = std::make_unique<Follower>(world.fill, world.loop);
        world.fill->head(shared_head());
        CHECK(world.append(5 * piece));
        CHECK(world.store.numbers().bytes > before + 5 * piece);
        SUBCASE("the reader") {
            world.fill->complete({});
            reader->start(1);
        }
        SUBCASE("the writer") {
            reader.reset();
            world.fill->complete({});
        }
        SUBCASE("abandoned") {
            world.fill->fail(Error{});
        }
        settle(world.loop);
    }
    CHECK(world.store.numbers().bytes == before);
}

TEST_CASE("the body is packed as it comes, and its charge passes to who takes it") {
    World world;
    const std::uint64_t before = world.store.numbers().bytes;
    world.fill->head(shared_head());
    world.fill->pack(std::make_unique<BodyPacker>(config::Cache::Compression{}, "text/plain", "",
                                                  DictionaryRef()));
    CHECK(world.append(3 * piece));
    const BodyRef body = world.fill->take_body();
    REQUIRE(body != nullptr);
    CHECK(body->size() == 3 * piece);
    CHECK(world.fill->take_body() == nullptr);
    world.fill->complete({});
    CHECK(world.store.numbers().bytes == before);
}

TEST_CASE("what has outgrown is not packed any more") {
    World world;
    Follower reader(world.fill, world.loop);
    world.fill->head(shared_head());
    world.fill->pack(std::make_unique<BodyPacker>(config::Cache::Compression{}, "text/plain", "",
                                                  DictionaryRef()));
    CHECK(world.append(piece));
    world.fill->outgrow(CacheReason::too_large);
    CHECK(world.fill->take_body() == nullptr);
}

}  // namespace
}  // namespace scrollgate
