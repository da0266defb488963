// Purges: what they cover, when they count, what a fill that began before them can still do.
#include <doctest/doctest.h>

#include "cache/store/purge_log.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

TEST_CASE("a purge by URL takes all partitions, schemes, variants and chosen lines of it") {
    World world;
    const std::vector<CacheKey> covered{key_of("a.example/x?q"), key_of("a.example/x?q", "other"),
                                        key_of("a.example/x?q", "p", "https"),
                                        key_of("a.example/x?q", "p", "http", "cookie: 1")};
    const std::vector<CacheKey> others{key_of("a.example/x"), key_of("a.example/x?q=1"),
                                       key_of("b.example/x?q"),
                                       key_of("a.example/x", "p", "http", "cookie: 1")};
    for (const auto& list : {covered, others})
        for (const CacheKey& key : list)
            world.put(key, "x");
    world.put(covered[0], "variant", {.vary = "accept: a\n"});
    const std::uint64_t number = world.purge(Purge::By::url, "a.example/x?q");
    for (const CacheKey& key : covered)
        CHECK_FALSE(world.has(key));
    for (const CacheKey& key : others)
        CHECK(world.has(key));
    world.sweep_all();
    CHECK(world.store.purged_by(number) == 5);
    CHECK(world.store.numbers().entries == others.size());
    CHECK(world.store.numbers().purged == 5);
}

TEST_CASE("a purge by URL is done at once where no keys have chosen lines") {
    World world;
    world.put(key_of("a.example/x"), "x");
    const std::uint64_t number = world.purge(Purge::By::url, "a.example/x");
    CHECK(world.store.purged_by(number) == 1);
    CHECK(world.store.sweep(1));
    world.put(key_of("a.example/x", "p", "http", "cookie: 1"), "x");
    const std::uint64_t next = world.purge(Purge::By::url, "a.example/x");
    CHECK_FALSE(world.store.purged_by(next));
    world.sweep_all();
    CHECK(world.store.purged_by(next) == 1);
}

TEST_CASE("whether a URL may be stored is known from its chain, or not at all") {
    World world;
    CHECK_FALSE(world.store.may_hold("a.example/x"));
    world.put(key_of("a.example/x", "other", "https"), "x");
    CHECK(world.store.may_hold("a.example/x"));
    CHECK_FALSE(world.store.may_hold("a.example/y"));
    static_cast<void>(world.purge(Purge::By::url, "a.example/x"));
    CHECK_FALSE(world.store.may_hold("a.example/x"));
    world.put(key_of("a.example/z", "p", "http", "cookie: 1"), "x");
    CHECK(world.store.may_hold("a.example/y"));
}

TEST_CASE("a purge of one scheme leaves the other") {
    World world;
    world.put(key_of("a.example/x", "p", "http"), "x");
    world.put(key_of("a.example/x", "p", "https"), "x");
    Purge purge{Purge::By::url, "a.example/x", "https", false};
    CHECK(world.store.purge(purge));
    CHECK(world.has(key_of("a.example/x", "p", "http")));
    CHECK_FALSE(world.has(key_of("a.example/x", "p", "https")));
}

TEST_CASE("a purge by prefix compares bytes of the target, and whole authorities") {
    World world;
    for (const char* url : {"a.example/img/1", "a.example/img", "a.example/images", "a.example/",
                            "a.example.evil/img/1"})
        world.put(key_of(url), "x");
    const std::uint64_t number = world.purge(Purge::By::prefix, "a.example/img");
    CHECK_FALSE(world.has(key_of("a.example/img/1")));
    CHECK_FALSE(world.has(key_of("a.example/img")));
    CHECK(world.has(key_of("a.example/images")));
    CHECK(world.has(key_of("a.example.evil/img/1")));
    world.purge(Purge::By::prefix, "a.example");
    CHECK_FALSE(world.has(key_of("a.example/")));
    CHECK(world.has(key_of("a.example.evil/img/1")));
    world.sweep_all();
    CHECK(world.store.purged_by(number) == 2);
    CHECK(world.store.numbers().entries == 1);
}

TEST_CASE("a purge by tag counts at once, and its sweep touches only what has the tag") {
    World world;
    for (int i = 0; i < 10'000; ++i)
        world.put(key_of("a.example/" + std::to_string(i)), "x", {.tags = {"all", "many"}});
    for (int i = 0; i < 1000; ++i)
        world.put(key_of("b.example/" + std::to_string(i)), "x", {.tags = {"all"}});
    const std::uint64_t number = world.purge(Purge::By::tag, "many");
    CHECK_FALSE(world.has(key_of("a.example/77")));
    CHECK(world.has(key_of("b.example/77")));
    CHECK_FALSE(world.store.purged_by(number));
    // 10,000 of them, and a step for each shard.
    int calls = 0;
    while (!world.store.sweep(1000))
        ++calls;
    CHECK(calls >= 9);
    CHECK(calls <= 12);
    CHECK(world.store.purged_by(number) == 10'000);
    CHECK(world.store.numbers().entries == 1000);
    const std::uint64_t next = world.purge(Purge::By::tag, "all");
    world.sweep_all();
    CHECK(world.store.purged_by(next) == 1000);
    CHECK(world.store.numbers().entries == 0);
}

TEST_CASE("a soft purge keeps what it covers, to be validated") {
    World world;
    const CacheKey key = key_of("a.example/x");
    world.put(key, "x", {.tags = {"t"}});
    const std::uint64_t number = world.purge(Purge::By::tag, "t", true);
    REQUIRE(world.find(key));
    CHECK(world.find(key)->softly_purged());
    world.sweep_all();
    CHECK(world.store.purged_by(number) == 1);
    world.put(key, "newer", {.tags = {"t"}});
    CHECK_FALSE(world.find(key)->softly_purged());
    // A hard one after it takes it all the same.
    world.purge(Purge::By::all, {}, true);
    world.purge(Purge::By::all);
    CHECK_FALSE(world.has(key));
}

TEST_CASE("a fill that began before a purge does not survive it, one that began after does") {
    World world;
    const CacheKey key = key_of("a.example/x");
    using By = Purge::By;
    for (const auto& [by, what] : {std::pair{By::url, "a.example/x"},
                                   {By::prefix, "a.example/"},
                                   {By::tag, "t"},
                                   {By::all, ""}}) {
        const std::uint64_t began = world.store.purge_position();
        world.store.fill_began(began);
        world.purge(by, what);
        world.sweep_all();
        CHECK(world.store.overtaken(key.text, began));
        CHECK(world.put(key, "x", {.tags = {"t"}, .position = began}).reason ==
              CacheReason::overtaken);
        // What it does not cover goes in.
        if (by != By::all) CHECK(world.put(key_of("b.example/y"), "x", {.position = began}).entry);
        CHECK(world.put(key, "x", {.tags = {"t"}}).entry);
        CHECK(world.has(key));
        world.store.fill_ended(began);
    }
}

TEST_CASE("a fill that began before a soft purge brings something to be validated") {
    World world;
    const CacheKey key = key_of("a.example/x");
    const std::uint64_t began = world.store.purge_position();
    world.store.fill_began(began);
    world.purge(Purge::By::url, "a.example/x", true);
    CHECK(world.put(key, "x", {.position = began}).entry->softly_purged());
    world.store.fill_ended(began);
}

TEST_CASE("an old position that nobody holds is refused once purges were dropped") {
    World world;
    const std::uint64_t began = world.store.purge_position();
    world.purge(Purge::By::url, "b.example/");
    CHECK(world.put(key_of("a.example/x"), "x", {.position = began}).reason ==
          CacheReason::overtaken);
    CHECK(world.store.overtaken(key_of("a.example/x").text, began));
    CHECK_FALSE(world.store.overtaken(key_of("a.example/x").text, world.store.purge_position()));
}

TEST_CASE("purges are kept while an older fill is under way, then dropped") {
    Ledger ledger;
    PurgeLog log{ledger};
    log.fill_began(0);
    log.fill_began(0);
    const Purge purge{Purge::By::url, "a.example/x", "", false};
    for (int i = 0; i < 1000; ++i)
        log.swept(log.add(purge).value());
    // The same URL again and again takes one place.
    CHECK(log.size() == 1);
    CHECK(log.may_cover(place_of(key_of("a.example/x").text), 0));
    CHECK_FALSE(log.may_cover(place_of(key_of("a.example/y").text), 0));
    log.fill_ended(0);
    CHECK(log.size() == 1);
    log.fill_ended(0);
    CHECK(log.size() == 0);
}

TEST_CASE("when there are too many purges those that are swept give way, others refuse") {
    Ledger ledger;
    PurgeLog log{ledger};
    log.fill_began(0);
    Purge purge{Purge::By::tag, "", "", false};
    for (std::size_t i = 0; i < limits::purge_rules; ++i) {
        purge.what = std::to_string(i);
        REQUIRE(log.add(purge));
    }
    purge.what = "more";
    CHECK_FALSE(log.add(purge));
    log.swept(1);
    CHECK(log.size() == limits::purge_rules);
    CHECK(log.add(purge));
    // Purge 1 is gone although a fill may be older: that fill can not be compared any more.
    CHECK(log.forgotten(0));
    CHECK_FALSE(log.forgotten(1));
}

TEST_CASE("a purge of a URL is not taken for swept before its chain has been compared") {
    Ledger ledger;
    PurgeLog log{ledger};
    const std::uint64_t number = log.add({Purge::By::url, "a.example/x", "", false}).value();
    // The sweep of another one ends in between.
    const std::uint64_t other = log.add({Purge::By::all, "", "", false}).value();
    CHECK(log.next_pass().until == other);
    log.swept_until(log.next_pass().until);
    CHECK(log.size() == 2);
    CHECK_FALSE(log.counted(number));
    log.compare_chosen(number);
    CHECK(log.next_pass().until == number);
    CHECK(log.next_pass().chosen_only);
    log.swept_until(number);
    CHECK(log.size() == 0);
    CHECK(ledger.used() == 0);
}

TEST_CASE("what a URL's purge leaves to the sweep are keys with chosen lines, and only those") {
    Ledger ledger;
    PurgeLog log{ledger};
    const std::uint64_t number = log.add({Purge::By::url, "a.example/x", "", false}).value();
    log.compare_chosen(number);
    CHECK(log.unswept(true) == number);
    CHECK(log.unswept(false) == 0);
    const std::uint64_t all = log.add({Purge::By::all, "", "", false}).value();
    log.compare_entries(all);
    CHECK(log.unswept(true) == all);
    CHECK(log.unswept(false) == all);
}

TEST_CASE("a URL that nobody counts for takes one place, swept or not") {
    Ledger ledger;
    PurgeLog log{ledger};
    Purge purge{Purge::By::url, "a.example/x", "", false};
    log.compare_chosen(log.add(purge).value());
    purge.counted = false;
    const std::uint64_t first = log.add(purge).value();
    log.compare_chosen(first);
    for (int i = 0; i < 1000; ++i)
        log.compare_chosen(log.add(purge).value());
    CHECK(log.size() == 2);
    CHECK(log.may_cover(place_of(key_of("a.example/x").text), log.position() - 1));
    log.compare_chosen(first);  // comes late: another took its place
    CHECK(log.next_pass().until == log.position());
    log.swept_until(log.position());
    CHECK(log.size() == 0);
    CHECK(ledger.used() == 0);
}

TEST_CASE("the texts of purges are bounded and charged, and none drops many at once") {
    Ledger ledger;
    PurgeLog log{ledger};
    log.fill_began(0);
    Purge purge{Purge::By::url, "", "", false};
    std::size_t added = 0;
    for (std::optional<std::uint64_t> number;; ++added) {
        purge.what = "a.example/" + std::to_string(added) + std::string(8000, 'x');
        number = log.add(purge);
        if (!number) break;
    }
    CHECK(added < limits::purge_bytes / 8000);
    CHECK(ledger.used() > added * 8000);
    CHECK(ledger.used() <= limits::purge_bytes);
    for (std::size_t i = 1; i <= added; ++i)
        log.swept(i);
    CHECK(log.size() == added);
    CHECK(log.add(purge));
    log.swept(log.position());
    const std::size_t before = log.size();
    log.fill_ended(0);
    CHECK(log.size() < before);
    CHECK(log.size() >= before - 100);
    for (std::size_t i = 0; i < added; i += 10)
        log.drop_some();
    CHECK(log.size() == 0);
    CHECK(ledger.used() == 0);
}
