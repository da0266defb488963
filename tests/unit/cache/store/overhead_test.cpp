// What a million small entries cost beyond key, fields and content.
#include <doctest/doctest.h>
#include <malloc.h>

#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

// Sanitizers have heaps of their own, with other sizes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int entries = 20'000;
constexpr bool sanitized = true;
#else
constexpr int entries = 1'000'000;
constexpr bool sanitized = false;
#endif

namespace {

double heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

}  // namespace

TEST_CASE("an entry costs at most 150 bytes beyond its key, fields and content") {
    World world(4096 * limits::MiB);
    HeaderList fields;
    fields.add("Content-Type", "application/json");
    fields.add("ETag", "\"0123456789\"");
    const double before = heap_bytes();
    double own = 0;
    for (int i = 0; i < entries; ++i) {
        const CacheKey key = key_of("meta.example.com/nft/" + std::to_string(i * 7919LL));
        EntryDraft draft;
        draft.key = key.text;
        draft.fields = &fields;
        draft.freshness.received = world.clock.now();
        draft.freshness.lifetime = static_cast<std::uint32_t>(i) % 100'000U;
        draft.body = body_of(std::string(static_cast<std::size_t>(20 + i % 40), 'x'), "image/png");
        const EntryRef entry = world.store.insert(draft).entry;
        REQUIRE(entry);
        own += static_cast<double>(key.text.size() + entry->wire().size() + entry->body().size());
    }
    const double count = entries;
    const double charged = (static_cast<double>(world.store.numbers().bytes) - own) / count;
    const double heap = (heap_bytes() - before - own) / count;
    MESSAGE("overhead of an entry: " << charged << " bytes charged, " << heap << " of the heap");
    if (sanitized) return;
    CHECK(charged <= 150);
    CHECK(heap <= 150);
    // What is charged is what the heap says, within a few in a hundred of the whole.
    CHECK(charged > heap - 10);
}
