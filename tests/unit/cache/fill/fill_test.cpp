// The states of a fill, what its readers see of them, and how their waits end.

#include "cache/fill/fill.hpp"

#include <memory>

#include <doctest/doctest.h>

#include "cache/rules/vary.hpp"
#include "tests/unit/cache/fill/fill_world.hpp"

namespace scrollgate {
namespace {

using namespace testing;
using World = FillWorld;
using State = Fill::State;
using Woken = FillReader::Woken;

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
