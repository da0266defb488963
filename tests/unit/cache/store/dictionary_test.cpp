// Dictionaries: adopted when they pay, kept as long as a body needs them, learned anew.
#include "cache/store/dictionary.hpp"

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

std::string word(FastRng& rng, std::size_t size) {
    std::string text(size, 0);
    for (char& c : text)
        c = static_cast<char>('a' + rng.below(26));
    return text;
}

/// A record of a made-up library: the names of its parts are of `kind`, their values are its own.
std::string record(FastRng& rng, std::string_view kind) {
    std::string text;
    for (int part = 0; part < 12; ++part)
        text += "<" + std::string(kind) + "-part-number-" + std::to_string(part) + " lang='none'>" +
                word(rng, 12) + "</" + std::string(kind) + "-part-number-" + std::to_string(part) +
                ">\n";
    return text;
}

std::string noise(FastRng& rng) {
    std::string text(1000, 0);
    for (char& c : text)
        c = static_cast<char>(rng.next());
    return text;
}

void teach(DictionaryTrainer& trainer, FastRng& rng, std::string_view kind, int bodies) {
    for (int i = 0; i < bodies; ++i) {
        trainer.learn(record(rng, kind));
        trainer.study();
    }
}

}  // namespace

TEST_CASE("a dictionary is learned from objects alike, and unseen ones shrink by it") {
    World world;
    DictionaryTrainer& trainer = world.store.trainer("p");
    CHECK(&trainer == &world.store.trainer("p"));
    CHECK(&trainer != &world.store.trainer("q"));
    FastRng rng(1);
    CHECK_FALSE(trainer.current());
    teach(trainer, rng, "book", 200);
    const DictionaryRef dictionary = trainer.current();
    REQUIRE(dictionary);
    CHECK(dictionary->id() == 1);
    CHECK(dictionary->text().size() <= limits::dictionary);
    const std::string unseen = record(rng, "book");
    const BodyRef plain = body_of(unseen, "text/xml");
    const BodyRef with = body_of(unseen, "text/xml", dictionary);
    CHECK(with->charged() * 5 < plain->charged() * 4);
    CHECK(text_of(*with) == unseen);
}

TEST_CASE("a dictionary lives and is charged as long as a body needs it") {
    World world;
    const std::uint64_t before = world.store.numbers().bytes;
    FastRng rng(1);
    const CacheKey key = key_of("a.example/x");
    const std::string text = record(rng, "book");
    {
        REQUIRE(world.store.reserve(Dictionary::charged()));
        const DictionaryRef dictionary(new Dictionary(1, record(rng, "book"), &world.store));
        EntryDraft draft;
        draft.key = key.text;
        draft.fields = &world.none;
        draft.body = body_of(text, "text/xml", dictionary);
        REQUIRE(draft.body->compressed());
        CHECK(world.store.insert(draft).entry);
    }
    CHECK(world.store.numbers().bytes > before + Dictionary::charged());
    CHECK(text_of(world.find(key)->body()) == text);
    world.store.remove(*world.find(key));
    CHECK(world.store.numbers().bytes < before + limits::KiB);
}

TEST_CASE("what has nothing in common makes no dictionary, and trying costs less and less") {
    World world;
    const std::uint64_t before = world.store.numbers().bytes;
    DictionaryTrainer trainer(world.store);
    FastRng rng(2);
    for (int i = 0; i < 900; ++i) {
        trainer.learn(noise(rng));
        trainer.study();
    }
    CHECK_FALSE(trainer.current());
    CHECK(world.store.numbers().bytes == before);
}

TEST_CASE("a dictionary that pays no more is followed by another, four at most at a time") {
    World world;
    DictionaryTrainer trainer(world.store);
    FastRng rng(3);
    std::vector<BodyRef> kept;
    std::uint64_t last = 0;
    for (const char* kind : {"book", "mineral", "recipe", "vehicle", "weather", "tune"}) {
        teach(trainer, rng, kind, 20'000);
        REQUIRE(trainer.current());
        if (trainer.current()->id() != last)
            kept.push_back(body_of(record(rng, kind), "text/xml", trainer.current()));
        last = trainer.current()->id();
    }
    CHECK(kept.size() == limits::dictionaries);
    kept.clear();
    teach(trainer, rng, "season", 400'000);
    CHECK(trainer.current()->id() > last);
}

TEST_CASE("a small cache and one without room do without dictionaries") {
    World world(limits::cache_memory_min);
    DictionaryTrainer trainer(world.store);
    FastRng rng(1);
    teach(trainer, rng, "book", 500);
    CHECK_FALSE(trainer.current());
}

TEST_CASE("workers gather, and the control thread's tick makes the dictionary") {
    World world;
    DictionaryTrainer& trainer = world.store.trainer("p");
    FastRng rng(1);
    for (int i = 0; i < 1000; ++i)
        trainer.learn(record(rng, "book"));
    CHECK_FALSE(trainer.current());
    world.store.expire();
    REQUIRE(trainer.current());
    CHECK(trainer.current()->id() == 1);
}
