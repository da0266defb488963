#include "cache/fill/fill.hpp"

#include <memory>

#include <doctest/doctest.h>

#include "cache/rules/vary.hpp"
#include "core/limits.hpp"
#include "tests/unit/cache/fill/follower.hpp"

namespace scrollgate {
namespace {

using namespace testing;
using State = Fill::State;
using Woken = FillReader::Woken;

constexpr std::size_t piece = limits::cache_block;

/// Two workers and a fill that the first one writes; both loops are turned by hand.
struct World {
    explicit World(std::uint64_t memory = limits::cache_memory) {
        config::Cache cache;
        cache.memory = memory;
        store.configure(cache);
        fill.reset(new Fill(store, key_for("/x")));
        fill->begin(loop);
    }
    ~World() {
        if (!fill->over()) fill->fail(Error{});
        settle(loop);
        settle(other);
    }
    /// Appends `size` bytes of the body.
    bool append(std::size_t size) { return fill->append(body_of(size, fill->length())); }

    ManualClock clock;
    CacheStore store{clock};
    EventLoop loop{clock, 1, limits::frequency}, other{clock, 2, limits::frequency};
    FillRef fill;
};

TEST_CASE("a reader that waits for the head goes on in a later step, and waiting() counts it") {
    World world;
    Follower follower(world.fill, world.loop);
    follower.start();
    CHECK(world.fill->waiting() == 1);
    world.fill->head(shared_head());
    CHECK_FALSE(follower.head.has_value());
    CHECK(world.fill->waiting() == 0);
    settle(world.loop);
    CHECK(follower.head == Woken::ready);
    CHECK(world.fill->waiting() == 1);  // for bytes now
}

TEST_CASE("readers of another worker are resumed by that worker alone") {
    World world;
    Follower one(world.fill, world.other), two(world.fill, world.other);
    one.start();
    two.start();
    world.fill->head(shared_head());
    settle(world.loop);
    CHECK_FALSE(one.head.has_value());
    settle(world.other);
    CHECK(one.head == Woken::ready);
    CHECK(two.head == Woken::ready);
}

TEST_CASE("who begins to wait between a post and its arrival is not woken for nothing") {
    World world;
    Follower one(world.fill, world.other), two(world.fill, world.other);
    one.start();
    world.fill->head(shared_head());  // posted for `one`
    two.start();                      // sees the head, waits for bytes
    settle(world.other);
    CHECK(one.running());
    CHECK(two.running());
    CHECK(two.body.empty());
    CHECK(world.append(10));
    settle(world.other);
    CHECK(is_body(two.body, 10));
    CHECK(is_body(one.body, 10));
}

TEST_CASE("every reader of a shared fill gets the whole body, whenever it came") {
    World world;
    Follower early(world.fill, world.loop);
    early.start();
    world.fill->head(shared_head());
    CHECK(world.append(1000));
    CHECK(world.append(3 * piece));
    settle(world.loop);
    Follower late(world.fill, world.other);
    late.start();
    CHECK(world.append(5));
    world.fill->complete({});
    settle(world.loop);
    settle(world.other);
    constexpr std::size_t whole = 1000 + 3 * piece + 5;
    CHECK(is_body(early.body, whole));
    CHECK(is_body(late.body, whole));
    CHECK(early.reader.at_end());
    CHECK_FALSE(early.reader.broken());
    CHECK(world.fill->state() == State::complete);
    CHECK(world.fill->length() == whole);
}

TEST_CASE("a response without a body is whole at once") {
    World world;
    Follower follower(world.fill, world.loop);
    follower.start();
    world.fill->head(shared_head(0));
    world.fill->complete({});
    settle(world.loop);
    CHECK_FALSE(follower.running());
    CHECK(follower.reader.at_end());
}

TEST_CASE("the head is copied before its owner lets go of it") {
    World world;
    {
        const std::string name = "X-Name", value = "a value that is longer than any small string";
        const std::string vary = "accept-encoding: br\n", reason = "Fine";
        FillHead head = shared_head(7);
        head.response.status = 203;
        head.response.reason = reason;
        head.response.fields.add(name, value);
        head.response.fields.add(Field::etag, "\"1\"");
        head.vary = vary;
        head.freshness.lifetime = 30;
        world.fill->head(head);
    }
    const FillHead& head = world.fill->head();
    CHECK(head.response.status == 203);
    CHECK(head.response.reason == "Fine");
    REQUIRE(head.response.fields.size() == 2);
    CHECK(head.response.fields[0].name == "X-Name");
    CHECK(head.response.fields[0].value == "a value that is longer than any small string");
    CHECK(head.response.fields.value(Field::etag) == "\"1\"");
    CHECK(head.vary == "accept-encoding: br\n");
    CHECK(head.length == 7);
    CHECK(head.freshness.lifetime == 30);
}

TEST_CASE("a fill suits everybody before its head, then those whom Vary chooses, then nobody") {
    World world;
    HeaderList french, german;
    french.add("Accept-Language", "fr");
    german.add("Accept-Language", "de");
    CHECK(world.fill->suits(french));
    FillHead head = shared_head();
    std::string vary;
    HeaderList response;
    response.add("Vary", "Accept-Language");
    REQUIRE(append_vary(vary, response, french) == CacheReason::none);
    head.vary = vary;
    world.fill->head(head);
    CHECK(world.fill->suits(french));
    CHECK_FALSE(world.fill->suits(german));
    world.fill->complete({});
    CHECK_FALSE(world.fill->suits(french));
}

TEST_CASE("a private fill suits nobody and says why") {
    World world;
    Follower leader(world.fill, world.loop);
    world.fill->head(private_head());
    CHECK(world.fill->state() == State::private_);
    CHECK_FALSE(world.fill->suits(HeaderList()));
    CHECK_FALSE(world.fill->head().shared);
    CHECK(world.fill->head().reason == CacheReason::private_);
    world.fill->complete({});
    CHECK_FALSE(world.fill->head().shared);
}

TEST_CASE("a fill that breaks off is abandoned, one without a head has failed") {
    World world;
    Follower follower(world.fill, world.loop);
    follower.start();
    SUBCASE("no head") {
        world.fill->fail(Error{ErrorKind::connect_refused});
        settle(world.loop);
        CHECK(world.fill->state() == State::failed);
        CHECK(follower.body.empty());
    }
    SUBCASE("in the middle") {
        world.fill->head(shared_head(100));
        CHECK(world.append(40));
        settle(world.loop);
        world.fill->fail(Error{ErrorKind::connect_refused});
        settle(world.loop);
        CHECK(world.fill->state() == State::abandoned);
        CHECK(is_body(follower.body, 40));
    }
    CHECK_FALSE(follower.running());
    CHECK(follower.reader.broken());
    CHECK_FALSE(follower.reader.at_end());
    CHECK(world.fill->error().kind == ErrorKind::connect_refused);
    world.fill->fail(Error{ErrorKind::cancelled});  // the first word stays
    CHECK(world.fill->error().kind == ErrorKind::connect_refused);
}

// ---- pacing

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

// ---- waits that end otherwise

TEST_CASE("a wait ends when its time has come, and later ones are possible") {
    World world;
    FillReader reader(world.fill, world.loop);
    std::optional<Woken> first, second;
    Child child;
    struct Script {
        static Task<void> run(FillReader& r, TimePoint until, std::optional<Woken>& a,
                              std::optional<Woken>& b) {
            a = co_await r.head(until);
            b = co_await r.head(never);
        }
    };
    child.start(Script::run(reader, world.clock.now() + std::chrono::seconds(1), first, second));
    world.clock.advance(std::chrono::milliseconds(900));
    world.loop.turn_timers();
    settle(world.loop);
    CHECK_FALSE(first.has_value());
    world.clock.advance(std::chrono::milliseconds(200));
    world.loop.turn_timers();
    settle(world.loop);
    CHECK(first == Woken::late);
    CHECK(world.fill->waiting() == 1);
    world.fill->head(shared_head());
    settle(world.loop);
    CHECK(second == Woken::ready);
    CHECK_FALSE(child.running());
}

TEST_CASE("what comes before the timer has been seen counts") {
    World world;
    Follower follower(world.fill, world.loop, world.clock.now() + std::chrono::seconds(1));
    follower.start();
    world.clock.advance(std::chrono::seconds(2));
    world.fill->head(shared_head());
    world.loop.turn_timers();
    settle(world.loop);
    CHECK(follower.head == Woken::ready);
}

TEST_CASE("an interrupted wait ends, and so does every other one until it is taken back") {
    World world;
    Follower follower(world.fill, world.loop);
    follower.start();
    follower.reader.interrupt();
    CHECK(follower.running());
    CHECK(world.fill->waiting() == 0);
    settle(world.loop);
    CHECK(follower.head == Woken::interrupted);
    CHECK_FALSE(follower.running());
    world.fill->head(shared_head());
    CHECK(world.append(10));
    follower.start();
    CHECK_FALSE(follower.running());
    CHECK(follower.last == Woken::interrupted);
    follower.reader.resume();
    follower.start();
    CHECK(is_body(follower.body, 10));
}

TEST_CASE("one of many that wait leaves from the middle of the queue") {
    World world;
    Follower one(world.fill, world.other), three(world.fill, world.other);
    {
        auto two = std::make_unique<Follower>(world.fill, world.other);
        one.start();
        two->start();
        three.start();
        two->reader.interrupt();
        settle(world.other);
        CHECK_FALSE(two->running());
    }
    CHECK(world.fill->waiting() == 2);
    world.fill->head(shared_head());
    CHECK(world.append(3));
    settle(world.other);
    CHECK(is_body(one.body, 3));
    CHECK(is_body(three.body, 3));
}

}  // namespace
}  // namespace scrollgate
