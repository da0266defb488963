// Purges by operators: in force at once, swept in slices, and answered with the count at the end.
#include "proxy/caching/purge_desk.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/unit/proxy/caching/manual_alarm.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

struct Scene {
    Scene() { store.configure(config::Cache{}); }

    static CacheKey key_of(std::size_t number) {
        CacheKey key;
        RequestHead head;
        head.method = Method::get;
        head.authority = "a.test";
        config::RouteCache route;
        route.partition = "p";
        Arena arena;
        REQUIRE(make_key(route, "http", head, "/" + std::to_string(number), arena, key) ==
                CacheReason::none);
        return key;
    }
    void put(std::size_t number) {
        const CacheKey key = key_of(number);
        HeaderList fields;
        BodyPacker packer(config::Cache::Compression::off, "text/plain", "", nullptr);
        packer.append("body");
        const std::string_view tag = "red";
        EntryDraft draft;
        draft.key = key.text;
        draft.fields = &fields;
        draft.freshness = {.received = clock.now(), .lifetime = 3600};
        draft.tags = {&tag, 1};
        draft.body = packer.finish();
        draft.purge_position = store.purge_position();
        REQUIRE(store.insert(draft).entry);
    }
    bool stored(std::size_t number) {
        return store.peek(key_of(number), HeaderList{}).entry != nullptr;
    }

    ManualClock clock;
    CacheStore store{clock};
    test::HandAlarm alarm;
    PurgeDesk desk{store, alarm, nullptr};
};

}  // namespace

TEST_CASE("a purge is in force before its sweep, which takes slices and counts") {
    Scene s;
    const std::size_t many = 3 * limits::sweep_slice;
    for (std::size_t i = 0; i < many; ++i)
        s.put(i);
    std::optional<std::uint64_t> told;
    REQUIRE(
        s.desk.ask({{Purge::By::tag, "red", "", false}}, [&](auto count, auto) { told = count; }));
    CHECK_FALSE(s.stored(0));
    CHECK_FALSE(s.stored(many - 1));
    CHECK_FALSE(told);
    int slices = 0;
    while (s.alarm.wait && slices < 1000) {
        s.alarm.ring();
        ++slices;
    }
    CHECK(slices > 1);
    REQUIRE(told);
    CHECK(*told == many);
    CHECK(s.store.numbers().entries == 0);
}

TEST_CASE("several purges of one wish are counted together") {
    Scene s;
    for (std::size_t i = 0; i < 3; ++i)
        s.put(i);
    std::optional<std::uint64_t> told;
    REQUIRE(s.desk.ask({{Purge::By::url, "a.test/0", "", false},
                        {Purge::By::url, "a.test/1", "http", false},
                        {Purge::By::url, "a.test/9", "", false}},
                       [&](auto count, auto) { told = count; }));
    for (int i = 0; i < 1000 && s.alarm.wait; ++i)
        s.alarm.ring();
    CHECK(told == 2U);
    CHECK(s.stored(2));
}

TEST_CASE("with nothing to sweep the desk sleeps") {
    Scene s;
    s.desk.look();
    for (int i = 0; i < 10 && s.alarm.wait; ++i)
        s.alarm.ring();
    CHECK_FALSE(s.alarm.wait);
}
