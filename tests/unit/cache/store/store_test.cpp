// The store by hand: what is found, what replaces what, what ends when, what is charged.
#include "cache/store/store.hpp"

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

TEST_CASE("what was stored is found under its key alone") {
    World world;
    const CacheKey key = key_of("a.example/x");
    CHECK(world.put(key, "hello").reason == CacheReason::none);
    const EntryRef entry = world.find(key);
    REQUIRE(entry);
    CHECK(text_of(entry->body()) == "hello");
    CHECK(entry->key() == key.text);
    CHECK_FALSE(world.find(key_of("a.example/y")));
    CHECK_FALSE(world.find(key_of("a.example/x", "q")));
    CHECK_FALSE(world.find(key_of("a.example/x", "p", "https")));
    CHECK_FALSE(world.find(key_of("a.example/x", "p", "http", "accept: a")));
}

TEST_CASE("an entry keeps fields, tags and Vary lines as they were given") {
    World world;
    HeaderList fields;
    fields.add("Content-Type", "text/plain");
    fields.add("X-Empty", "");
    fields.add(Field::etag, "\"a:b\"");
    const std::string_view tags[] = {"one", "two"};
    EntryDraft draft;
    const CacheKey key = key_of("a.example/x");
    draft.key = key.text;
    draft.status = 404;
    draft.fields = &fields;
    draft.vary = "accept: x\n";
    draft.tags = tags;
    draft.body = body_of(std::string(100'000, 'x'));
    draft.by_hand = true;
    const EntryRef entry = world.store.insert(draft).entry;
    REQUIRE(entry);
    CHECK(entry->wire() == "Content-Type: text/plain\r\nX-Empty: \r\nETag: \"a:b\"\r\n");
    HeaderList back;
    entry->fields(back);
    REQUIRE(back.size() == 3);
    CHECK(back[0].id == Field::content_type);
    CHECK(back[1].value.empty());
    CHECK(back[2].value == "\"a:b\"");
    CHECK(entry->tags() == std::vector<std::string_view>{"one", "two"});
    CHECK(entry->vary() == "accept: x\n");
    CHECK(entry->status() == 404);
    CHECK(entry->by_hand());
    CHECK(entry->body_ref() == draft.body);
}

TEST_CASE("a small body is copied into its entry and outlives the store's reference to it") {
    World world;
    const CacheKey key = key_of("a.example/x");
    world.put(key, "small");
    BodyRef body = world.find(key)->body_ref();
    CHECK(world.store.remove(*world.find(key)));
    CHECK(text_of(*body) == "small");
    body.reset();
    CHECK(world.store.numbers().entries == 0);
}

TEST_CASE("a new entry takes the place of the one of its key and variant, and of a marker") {
    World world;
    const CacheKey key = key_of("a.example/x");
    world.put(key, "", {.marker = true});
    CHECK(world.find(key)->is_marker());
    world.put(key, "one");
    world.put(key, "two");
    CHECK(world.store.numbers().entries == 1);
    CHECK(text_of(world.find(key)->body()) == "two");
    CHECK(world.store.numbers().writes == 3);
    CHECK(world.store.numbers().bytes_raw == 3);
}

TEST_CASE("what is only to replace an entry is not stored when that has left or was replaced") {
    World world;
    const CacheKey key = key_of("a.example/x");
    const EntryRef first = world.put(key, "one").entry;
    CHECK(world.put(key, "two", {.instead_of = first.get()}).entry);
    CHECK(text_of(world.find(key)->body()) == "two");
    const CacheStore::Inserted late = world.put(key, "late", {.instead_of = first.get()});
    CHECK_FALSE(late.entry);
    CHECK(late.reason == CacheReason::overtaken);
    CHECK(text_of(world.find(key)->body()) == "two");
    const EntryRef second = world.find(key);
    CHECK(world.store.remove(*second));
    CHECK_FALSE(world.put(key, "late", {.instead_of = second.get()}).entry);
    CHECK(world.store.numbers().entries == 0);
}

TEST_CASE("a request gets the newest variant that it would choose, and hears of others") {
    World world;
    const CacheKey key = key_of("a.example/x");
    HeaderList french, english;
    french.add(Field::accept_language, "fr");
    english.add(Field::accept_language, "en");
    world.put(key, "bonjour", {.vary = "accept-language: fr\n"});
    CHECK(world.find(key, french));
    CHECK_FALSE(world.find(key, english));
    CHECK(world.store.find(key, english).variants);
    CHECK_FALSE(world.store.find(key_of("a.example/y"), english).variants);
    world.put(key, "hello", {.vary = "accept-language: en\n"});
    CHECK(text_of(world.find(key, french)->body()) == "bonjour");
    CHECK(text_of(world.find(key, english)->body()) == "hello");
}

TEST_CASE("of too many variants of one key the oldest leaves") {
    World world;
    const CacheKey key = key_of("a.example/x");
    std::vector<std::string> lines;
    for (std::size_t i = 0; i <= limits::cache_variants; ++i)
        lines.push_back("x: " + std::to_string(i) + "\n");
    for (const std::string& line : lines)
        world.put(key, "body", {.vary = line});
    CHECK(world.store.numbers().entries == limits::cache_variants);
    HeaderList first, second;
    first.add("X", "0");
    second.add("X", "1");
    CHECK_FALSE(world.find(key, first));
    CHECK(world.find(key, second));
}

TEST_CASE("entries leave when they can be of no use any more, and not before") {
    World world;
    const CacheKey key = key_of("a.example/x");
    for (const std::uint32_t lifetime : {0U, 1U, 15U, 16U, 17U, 300U, 5000U, 70'000U, 1'000'000U}) {
        CAPTURE(lifetime);
        world.put(key, "body", {.lifetime = lifetime});
        world.clock.advance(std::chrono::seconds(lifetime));
        world.store.expire();
        CHECK(world.has(key));
        world.clock.advance(2s);
        world.store.expire();
        CHECK_FALSE(world.has(key));
    }
    CHECK(world.store.numbers().expirations == 9);
}

TEST_CASE("what may be used stale stays as long as it may") {
    World world;
    const CacheKey key = key_of("a.example/x");
    EntryDraft draft;
    draft.key = key.text;
    draft.fields = &world.none;
    draft.body = body_of("x");
    draft.freshness.received = world.clock.now();
    draft.freshness.lifetime = 10;
    draft.freshness.if_error = 100;
    const auto stays = [&](std::chrono::seconds for_so_long) {
        draft.freshness.received = world.clock.now();
        world.store.insert(draft);
        world.clock.advance(for_so_long);
        world.store.expire();
        CHECK(world.has(key));
        world.clock.advance(2s);
        world.store.expire();
        CHECK_FALSE(world.has(key));
    };
    stays(110s);
    // With s-maxage it is only for what the response itself grants.
    draft.freshness.must_revalidate = true;
    stays(110s);
    draft.freshness.if_error = 0;
    stays(10s);
    draft.freshness.has_validator = true;
    stays(10s + limits::cache_kept);
    draft.freshness.has_validator = false;
    draft.freshness.if_slow = true;  // for an origin that is slow
    stays(10s + limits::cache_kept);
}

TEST_CASE("expire() does bounded work and goes on the next time") {
    World world;
    for (int i = 0; i < 70'000; ++i)
        world.put(key_of("a.example/" + std::to_string(i)), "");
    world.clock.advance(100s);
    world.store.expire();
    const auto left = world.store.numbers().entries;
    CHECK(left > 0);
    CHECK(left < 70'000);
    world.store.expire();
    world.store.expire();
    CHECK(world.store.numbers().entries == 0);
}

TEST_CASE("memory is bounded, and what is charged goes back to nothing") {
    World world(4 * limits::MiB);
    const std::uint64_t empty = world.store.numbers().bytes;
    FastRng rng(3);
    std::string body(3000, 'x');
    for (int i = 0; i < 5000; ++i) {
        for (char& c : body)
            c = static_cast<char>(rng.next());
        REQUIRE(world.put(key_of("a.example/" + std::to_string(i)), body).entry);
        REQUIRE(world.store.numbers().bytes <= 4 * limits::MiB);
    }
    CHECK(world.store.numbers().evictions > 3000);
    CHECK(world.store.numbers().bytes > 4 * limits::MiB * 9 / 10);
    world.purge(Purge::By::all);
    world.sweep_all();
    CHECK(world.store.numbers().entries == 0);
    CHECK(world.store.numbers().bytes <= empty + limits::KiB);
}

TEST_CASE("an entry that somebody reads is charged until he lets go") {
    World world;
    const CacheKey key = key_of("a.example/x");
    const std::uint64_t empty = world.store.numbers().bytes;
    for (const std::size_t size : {100UL, 1'000'000UL}) {
        std::string body(size, 0);
        for (std::size_t i = 0; i < size; ++i)
            body[i] = static_cast<char>(i * i * 7 >> 5);
        EntryRef entry = world.put(key, body).entry;
        world.store.remove(*entry);
        CHECK(world.store.numbers().bytes >= empty + entry->charged());
        entry.reset();
        CHECK(world.store.numbers().bytes <= empty + limits::KiB);
    }
}

TEST_CASE("a body that two entries share is charged once") {
    World world;
    std::string text(100'000, 0);
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>(i * i * 7 >> 5);
    const CacheKey key = key_of("a.example/x");
    const EntryRef first = world.put(key, text).entry;
    const std::uint64_t before = world.store.numbers().bytes;
    EntryDraft draft;
    draft.key = key.text;
    draft.fields = &world.none;
    draft.body = first->body_ref();
    const EntryRef second = world.store.insert(draft).entry;
    CHECK(world.store.numbers().bytes < before + limits::KiB);
    CHECK(&first->body() == &second->body());
}

TEST_CASE("the number of entries is bounded") {
    World world(limits::cache_memory, 10);
    for (int i = 0; i < 100; ++i) {
        CHECK(world.put(key_of("a.example/" + std::to_string(i)), "x").entry);
        CHECK(world.store.numbers().entries <= 10);
    }
    CHECK(world.store.numbers().entries == 10);
    config::Cache smaller;
    smaller.max_entries = 3;
    world.store.configure(smaller);
    CHECK(world.store.numbers().entries == 3);
}

TEST_CASE("room for fills is made by eviction, as far as half of the memory, and else refused") {
    World world(4 * limits::MiB);
    FastRng rng(3);
    const auto noise = [&rng] {
        std::string text(32 * limits::KiB, ' ');
        for (char& c : text)
            c = static_cast<char>(rng.next());
        return text;
    };
    for (int i = 0; i < 200; ++i)
        world.put(key_of("a.example/" + std::to_string(i)), noise());
    const std::uint64_t before = world.store.numbers().entries;
    CHECK(before > 100);
    CHECK(world.store.reserve(1 * limits::MiB));
    CHECK(world.store.reserve(1 * limits::MiB));
    CHECK_FALSE(world.store.reserve(200 * limits::KiB));
    const std::uint64_t left = world.store.numbers().entries;
    CHECK(left > before * 4 / 10);
    CHECK(left < before);
    CHECK_FALSE(world.store.reserve(8 * limits::MiB));
    CHECK(world.store.numbers().entries == left);
    world.store.release(1 * limits::MiB);
    CHECK(world.store.reserve(200 * limits::KiB));
    world.store.release(1 * limits::MiB + 200 * limits::KiB);
    World empty(4 * limits::MiB);  // where there is room, nobody has to leave
    CHECK(empty.store.reserve(3 * limits::MiB));
    CHECK_FALSE(empty.store.reserve(1 * limits::MiB));
    empty.store.release(3 * limits::MiB);
}

TEST_CASE("an older response does not take the place of a newer one") {
    World world;
    const CacheKey key = key_of("a.example/x");
    struct Said {
        const char* date;
        Duration asked, received;
    };
    const auto put = [&](const Said& said, std::string_view body) {
        HeaderList fields;
        if (said.date[0] != 0) fields.add(Field::date, said.date);
        EntryDraft draft;
        draft.key = key.text;
        draft.fields = &fields;
        draft.freshness.received = TimePoint(1h) + said.received;
        draft.freshness.took_ms = static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(said.received - said.asked)
                .count());
        draft.freshness.lifetime = 600;
        draft.body = body_of(body);
        draft.purge_position = world.store.purge_position();
        const CacheStore::Inserted in = world.store.insert(draft);
        return in.entry ? text_of(in.entry->body()) : std::string(token(in.reason));
    };
    constexpr const char *second_5 = "Sun, 06 Nov 1994 08:49:05 GMT",
                         *second_7 = "Sun, 06 Nov 1994 08:49:07 GMT";
    CHECK(put({second_7, 6s, 8s}, "newer") == "newer");
    CHECK(put({second_5, 4s, 9s}, "older") == "overtaken");
    CHECK(text_of(world.find(key)->body()) == "newer");
    CHECK(put({second_7, 4s, 9s}, "as new") == "as new");
    CHECK(put({"", 4s, 9s}, "undated") == "undated");
    CHECK(put({second_7, 6s, 8s}, "dated") == "dated");
    // Not under way together: another origin's clock is behind.
    CHECK(put({second_5, 10s, 11s}, "later") == "later");
}

TEST_CASE("what was asked for before a soft purge does not replace what came after it") {
    World world;
    const CacheKey key = key_of("a.example/x");
    const std::uint64_t before = world.store.purge_position();
    world.purge(Purge::By::all, "", true);
    CHECK(world.put(key, "after").entry);
    World::More late;
    late.position = before;
    CHECK(world.put(key, "before", late).reason == CacheReason::overtaken);
    CHECK(text_of(world.find(key)->body()) == "after");
    CHECK_FALSE(world.find(key)->softly_purged());
}

TEST_CASE("what is too large for an entry's fields is refused by name") {
    World world;
    EntryDraft draft;
    const std::string vary(limits::cache_fields + 1, 'v');
    draft.key = "key";
    draft.fields = &world.none;
    draft.vary = vary;
    draft.body = body_of("x");
    CHECK(world.store.insert(draft).reason == CacheReason::too_large);
}

TEST_CASE("the hottest keys come first, each once, and no markers") {
    World world;
    for (int i = 0; i < 100; ++i)
        world.put(key_of("a.example/" + std::to_string(i)), "x");
    world.put(key_of("a.example/marker"), "", {.marker = true});
    world.put(key_of("a.example/5"), "other", {.vary = "x: 1\n"});
    for (int use = 0; use < 3; ++use)
        for (const char* hot : {"a.example/7", "a.example/42"})
            world.find(key_of(hot));
    world.find(key_of("a.example/9"));
    auto keys = world.store.hottest(3);
    REQUIRE(keys.size() == 3);
    CHECK(keys[2] == key_of("a.example/9").text);
    keys = world.store.hottest(1000);
    CHECK(keys.size() == 100);
}

TEST_CASE("what is in most demand comes first, as long as it is stored, then what was used") {
    World world;
    for (int i = 0; i < 100; ++i)
        world.put(key_of("a.example/" + std::to_string(i)), "x");
    for (int use = 0; use < 3; ++use)  // as much as eviction tells apart
        for (int i = 0; i < 90; ++i)
            world.find(key_of("a.example/" + std::to_string(i)));
    for (const auto& [target, uses] :
         {std::pair("95", 64), std::pair("gone", 640), std::pair("97", 128), std::pair("7", 192)})
        world.store.count_demand(key_of(std::string("a.example/") + target).hash,
                                 static_cast<std::uint32_t>(uses));
    const auto keys = world.store.hottest(4);
    REQUIRE(keys.size() == 4);
    CHECK(keys[0] == key_of("a.example/7").text);
    CHECK(keys[1] == key_of("a.example/97").text);
    CHECK(keys[2] == key_of("a.example/95").text);
    CHECK(world.store.hottest(2).size() == 2);
    CHECK(world.store.hottest(1000).size() == 100);
}

TEST_CASE("variants() gives what is stored for a key, the newest first") {
    World world;
    const CacheKey key = key_of("a.example/x");
    CHECK(world.store.variants(key, 9).empty());
    world.put(key_of("a.example/y"), "other");
    world.put(key, "1", {.vary = "x: 1\n"});
    world.put(key, "2", {.vary = "x: 2\n"});
    const auto all = world.store.variants(key, 9);
    REQUIRE(all.size() == 2);
    CHECK(all[0]->vary() == "x: 2\n");
    CHECK(all[1]->vary() == "x: 1\n");
    CHECK(world.store.variants(key, 1).size() == 1);
}

TEST_CASE("the guessed hit rate counts look-ups that find something, and first insertions") {
    World world;
    world.put(key_of("a.example/marked"), "", {.marker = true});
    CHECK(world.find(key_of("a.example/marked")));
    CHECK(world.store.hit_rates()[1].hit_rate == 0);
    for (int i = 0; i < 100; ++i)
        world.put(key_of("a.example/" + std::to_string(i)), "x");
    CHECK(world.store.hit_rates()[1].hit_rate == doctest::Approx(0));
    for (int round = 0; round < 3; ++round)
        for (int i = 0; i < 100; ++i)
            CHECK(world.find(key_of("a.example/" + std::to_string(i))));
    for (const HitRateAt& at : world.store.hit_rates())
        CHECK(at.hit_rate == doctest::Approx(0.75));
    // Put again in its place: no use.
    world.put(key_of("a.example/1"), "y");
    CHECK(world.store.hit_rates()[1].hit_rate == doctest::Approx(0.75));
}

TEST_CASE("the guess goes by the number of entries where that is the limit") {
    World world(limits::cache_memory, 100);
    for (int round = 0; round < 4; ++round)
        for (int i = 0; i < 200; ++i) {
            const CacheKey key = key_of("a.example/" + std::to_string(i));
            if (!world.find(key)) world.put(key, "x");
        }
    CHECK(world.store.numbers().full_by_number);
    const auto rates = world.store.hit_rates();
    CHECK(rates[0].hit_rate < 0.1);
    CHECK(rates[1].hit_rate < 0.1);  // a round of 200 through an LRU of 100
    CHECK(rates[3].hit_rate == doctest::Approx(0.75).epsilon(0.1));
}

TEST_CASE("a store that is off at first has all its shards when it is turned on") {
    ManualClock clock;
    CacheStore store(clock);
    config::Cache cache;
    cache.memory = 0;
    store.configure(cache);
    const std::uint64_t off = store.numbers().bytes;
    cache.memory = 1024 * limits::MiB;
    store.configure(cache);
    CacheStore large(clock);
    large.configure(cache);
    CHECK(off == large.numbers().bytes);
}

TEST_CASE("a purged entry that is replaced before anybody looked counts as purged") {
    World world;
    world.put(key_of("a.example/x"), "one");
    const std::uint64_t number = world.purge(Purge::By::all);
    world.put(key_of("a.example/x"), "two");
    world.sweep_all();
    CHECK(world.store.purged_by(number) == 1);
    CHECK(text_of(world.find(key_of("a.example/x"))->body()) == "two");
}

TEST_CASE("what was set by hand gives way only when its time is over or it is purged") {
    World world;
    const CacheKey key = key_of("a.example/x");
    world.put(key, "by hand", {.lifetime = 10, .by_hand = true});
    for (const World::More& more :
         {World::More{}, World::More{.vary = "accept: a\n"}, World::More{.marker = true}}) {
        CHECK(world.put(key, "of the origin", more).reason == CacheReason::overtaken);
        CHECK(text_of(world.find(key)->body()) == "by hand");
    }
    CHECK(world.put(key, "again by hand", {.lifetime = 10, .by_hand = true}).entry);
    world.clock.advance(10s);
    CHECK(world.put(key, "of the origin").entry);
    world.put(key, "by hand", {.by_hand = true});
    world.purge(Purge::By::all, {}, true);
    CHECK(world.put(key, "of the origin").entry);
    world.put(key, "by hand", {.by_hand = true});
    world.purge(Purge::By::url, "a.example/x");
    CHECK(world.put(key, "of the origin").entry);
    CHECK(world.store.numbers().entries == 1);
}
