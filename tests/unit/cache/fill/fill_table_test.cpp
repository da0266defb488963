// Who joins which fill, and when it is better to lead or to use what is stored.

#include "cache/fill/fill_table.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cache/rules/vary.hpp"
#include "core/limits.hpp"
#include "tests/unit/cache/fill/follower.hpp"

namespace scrollgate {
namespace {

using namespace testing;

struct World {
    World() { store.configure(config::Cache()); }
    ~World() {
        for (const FillRef& fill : led) {
            if (!fill->over()) fill->fail(Error{});
            table.leave(*fill);
        }
    }
    FillTable::Joined join(const CacheKey& key, const HeaderList& request = {},
                           const CacheEntry* known = nullptr, std::string_view variant = {}) {
        FillTable::Joined joined =
            table.join_or_lead(key, request, {.known = known, .variant = variant});
        if (joined.leads) keep(joined.fill);
        return joined;
    }
    void keep(const FillRef& fill) {
        fill->begin(loop);
        led.push_back(fill);
    }
    /// An entry for `key` as a fill would store it; its tag is "collection".
    EntryRef store_entry(const CacheKey& key, std::uint64_t purge_position) {
        EntryDraft draft;
        draft.key = key.text;
        draft.fields = &fields;
        draft.tags = tags;
        draft.freshness.received = clock.now();
        draft.freshness.lifetime = 60;
        draft.purge_position = purge_position;
        return store.insert(draft).entry;
    }

    ManualClock clock;
    CacheStore store{clock};
    FillTable table{store};
    EventLoop loop{clock, 1, limits::frequency};
    HeaderList fields;
    std::array<std::string_view, 1> tags{"collection"};
    std::vector<FillRef> led;
};

TEST_CASE("what a purge's URL may be filled by is known, as long as it is under way") {
    World world;
    const auto key_of = [](std::string text) {
        const std::uint64_t hash = place_of(text).hash;
        return CacheKey{std::move(text), hash};
    };
    const CacheKey plain = key_of("p\nhttp\na.test\n/x");
    const CacheKey chosen = key_of("p\nhttp\na.test\n/y\nlang=de");
    CHECK_FALSE(world.table.may_fill("a.test/x"));
    const FillRef first = world.join(plain).fill;
    CHECK(world.table.may_fill("a.test/x"));
    CHECK_FALSE(world.table.may_fill("a.test/z"));
    // One with chosen lines stands elsewhere, and may be for any URL.
    const FillRef second = world.join(chosen).fill;
    CHECK(world.table.may_fill("a.test/z"));
    for (const FillRef& fill : {second, first}) {
        fill->fail(Error{});
        world.table.leave(*fill);
    }
    CHECK_FALSE(world.table.may_fill("a.test/x"));
}

TEST_CASE("a thousand misses for one key have one leader, other keys have their own") {
    World world;
    const FillTable::Joined first = world.join(key_for("/x"));
    CHECK(first.leads);
    REQUIRE(first.fill != nullptr);
    for (int i = 1; i < 1000; ++i) {
        const FillTable::Joined joined = world.join(key_for("/x"));
        REQUIRE_FALSE(joined.leads);
        REQUIRE(joined.fill == first.fill);
    }
    CHECK(world.table.size() == 1);
    CHECK(world.join(key_for("/y")).leads);
    CHECK(world.table.size() == 2);
}

TEST_CASE("keys that only have their hash in common do not share a fill") {
    World world;
    const CacheKey one = key_for("/x");
    CacheKey other = key_for("/y");
    other.hash = one.hash;
    CHECK(world.join(one).leads);
    CHECK(world.join(other).leads);
    CHECK_FALSE(world.join(one).leads);
}

TEST_CASE("who looked before an entry was stored, and joins after its fill has left, finds it") {
    World world;
    const CacheKey key = key_for("/x");
    const FillRef fill = world.join(key).fill;
    const EntryRef entry = world.store_entry(key, fill->purge_position());
    REQUIRE(entry != nullptr);
    fill->head(shared_head(0));
    fill->complete(entry);
    SUBCASE("before its leader has taken it out") {}
    SUBCASE("after that") {
        world.table.leave(*fill);
    }
    const FillTable::Joined joined = world.join(key);
    CHECK_FALSE(joined.leads);
    CHECK(joined.fill == nullptr);
    CHECK(joined.entry == entry);
}

TEST_CASE("the entry that the caller knows already is no answer: it leads") {
    World world;
    const CacheKey key = key_for("/x");
    const EntryRef stale = world.store_entry(key, 0);
    REQUIRE(stale != nullptr);
    const FillTable::Joined joined = world.join(key, {}, stale.get());
    CHECK(joined.leads);
    CHECK(joined.entry == nullptr);
    const EntryRef refreshed = world.store_entry(key, 0);
    world.led[0]->validated(refreshed);
    CHECK(world.led[0]->entry() == refreshed);
    CHECK(world.join(key, {}, stale.get()).entry == refreshed);
}

TEST_CASE("a fill that began before a purge of its key is not joined any more") {
    World world;
    const FillTable::Joined before = world.join(key_for("/x"));
    Purge purge;
    SUBCASE("of everything") {
        purge.by = Purge::By::all;
    }
    SUBCASE("of its URL") {
        purge.by = Purge::By::url;
        purge.what = "a.example/x";
    }
    SUBCASE("of a tag that it may turn out to have") {
        purge.by = Purge::By::tag;
        purge.what = "collection";
    }
    REQUIRE(world.store.purge(purge).has_value());
    const FillTable::Joined after = world.join(key_for("/x"));
    CHECK(after.leads);
    CHECK(after.fill != before.fill);
    CHECK(world.join(key_for("/x")).fill == after.fill);
    CHECK(world.store_entry(key_for("/x"), before.fill->purge_position()) == nullptr);
    CHECK(world.store_entry(key_for("/x"), after.fill->purge_position()) != nullptr);
}

TEST_CASE("who needs another variant than the one on its way leads a fill of its own") {
    World world;
    HeaderList french, german, response;
    french.add("Accept-Language", "fr");
    german.add("Accept-Language", "de");
    response.add("Vary", "Accept-Language");
    const FillRef fill = world.join(key_for("/x"), french).fill;
    CHECK(world.join(key_for("/x"), german).fill == fill);  // nobody knows yet
    FillHead head = shared_head();
    std::string vary;
    REQUIRE(append_vary(vary, response, french) == CacheReason::none);
    head.vary = vary;
    fill->head(head);
    CHECK(world.join(key_for("/x"), french).fill == fill);
    CHECK(world.join(key_for("/x"), german).leads);
}

TEST_CASE("where it is known what responses vary by, each variant has a fill of its own at once") {
    World world;
    HeaderList french, german;
    french.add("Accept-Language", "fr");
    german.add("Accept-Language", "de");
    const CacheKey key = key_for("/x");
    const FillRef in_french = world.join(key, french, nullptr, "accept-language: fr\n").fill;
    const FillTable::Joined in_german = world.join(key, german, nullptr, "accept-language: de\n");
    CHECK(in_german.leads);
    CHECK(in_german.fill->variant() == "accept-language: de\n");
    CHECK(world.join(key, french).fill == in_french);
    CHECK(world.join(key, german).fill == in_german.fill);
    FillHead head = shared_head();
    head.vary = "accept: a\n";  // it varies by something else now
    in_french->head(head);
    CHECK(world.join(key, french).leads);
}

TEST_CASE("a fill that turned out private is joined by nobody, nor one that has outgrown") {
    World world;
    const FillRef fill = world.join(key_for("/x")).fill;
    Follower reader(fill, world.loop);
    SUBCASE("private") {
        fill->head(private_head());
    }
    SUBCASE("outgrown") {
        fill->head(shared_head());
        fill->outgrow(CacheReason::too_large);
    }
    CHECK(world.join(key_for("/x")).leads);
}

TEST_CASE("a follower that was sent away leads, although there is a fill") {
    World world;
    const FillRef first = world.join(key_for("/x")).fill;
    const FillRef second = world.table.lead(key_for("/x"));
    REQUIRE(second != nullptr);
    world.keep(second);
    CHECK(second != first);
    CHECK(world.table.size() == 2);
}

TEST_CASE("the fills of one key are bounded: the next one has to do without") {
    World world;
    for (std::size_t i = 0; i < limits::fills_of_key; ++i)
        world.keep(world.table.lead(key_for("/x")));
    CHECK(world.table.lead(key_for("/x")) == nullptr);
    const Purge everything;
    REQUIRE(world.store.purge(everything).has_value());
    const FillTable::Joined joined = world.join(key_for("/x"));
    CHECK(joined.fill == nullptr);
    CHECK(joined.entry == nullptr);
    CHECK_FALSE(joined.leads);
    world.table.leave(*world.led[0]);
    world.table.leave(*world.led[0]);  // the second time changes nothing
    CHECK(world.table.size() == limits::fills_of_key - 1);
    CHECK(world.join(key_for("/x")).leads);
}

TEST_CASE("the fills in all are bounded") {
    World world;
    for (std::size_t i = 0; i < limits::fills; ++i)
        REQUIRE(world.join(key_for(std::to_string(i))).leads);
    CHECK(world.join(key_for("/one-more")).fill == nullptr);
    CHECK(world.table.lead(key_for("/one-more")) == nullptr);
    CHECK(world.join(key_for("7")).fill == world.led[7]);
    world.table.leave(*world.led[7]);
    CHECK(world.join(key_for("/one-more")).leads);
}

TEST_CASE("waiting() counts all who wait for a head or for bytes") {
    World world;
    const FillRef x = world.join(key_for("/x")).fill, y = world.join(key_for("/y")).fill;
    std::vector<std::unique_ptr<Follower>> followers;
    for (int i = 0; i < 10; ++i) {
        followers.push_back(std::make_unique<Follower>(i < 7 ? x : y, world.loop));
        followers.back()->start();
    }
    CHECK(world.table.waiting() == 10);
    x->head(shared_head());
    settle(world.loop);
    CHECK(world.table.waiting() == 10);
    x->complete({});
    settle(world.loop);
    CHECK(world.table.waiting() == 3);
}

}  // namespace
}  // namespace scrollgate
