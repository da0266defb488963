// Finding, storing, purging, evicting and sweeping at once. Small, for ThreadSanitizer.
#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

constexpr int keys = 300;

CacheKey nth(std::uint64_t i) {
    return key_of("a.example/" + std::to_string(i), "p", "http", i % 10 == 0 ? "c: 1" : "");
}

std::string body_for(std::uint64_t i) {
    return std::string(i * 37 % 9000, static_cast<char>('a' + i % 26));
}

/// One worker's life: finds, checks what it found, stores what is missing.
void work(World& world, std::uint64_t seed, int steps, std::atomic<int>& wrong) {
    FastRng rng(seed);
    for (int step = 0; step < steps; ++step) {
        const std::uint64_t i = rng.below(keys);
        const CacheKey key = nth(i);
        if (const EntryRef entry = world.find(key)) {
            if (text_of(entry->body()) != body_for(i)) ++wrong;
            if (rng.below(50) == 0) world.store.remove(*entry);
            continue;
        }
        const std::uint64_t began = world.store.purge_position();
        world.store.fill_began(began);
        const auto inserted = world.put(key, body_for(i), {.tags = {"t", "u"}, .position = began});
        if (!inserted.entry && inserted.reason != CacheReason::overtaken) ++wrong;
        world.store.fill_ended(began);
    }
}

}  // namespace

TEST_CASE("workers, purges and sweeps at once neither lose nor mix up anything") {
    World world(limits::cache_memory_min * 2, 200);
    std::atomic<int> wrong = 0;
    std::atomic<bool> over = false;
    std::vector<std::thread> workers;
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
        workers.emplace_back([&, seed] { work(world, seed, 4000, wrong); });
    std::thread control([&] {
        FastRng rng(9);
        while (!over) {
            const std::uint64_t i = rng.below(keys);
            world.purge(Purge::By::url, "a.example/" + std::to_string(i), rng.below(2) == 0);
            if (i % 8 == 0) world.purge(Purge::By::tag, i % 16 == 0 ? "t" : "u");
            if (i % 64 == 0) world.purge(Purge::By::prefix, "a.example/1");
            (void)world.store.sweep(100);
            world.store.expire();
            (void)world.store.numbers();
            (void)world.store.hottest(10);
        }
    });
    for (std::thread& worker : workers)
        worker.join();
    over = true;
    control.join();
    CHECK(wrong == 0);
    CHECK(world.store.numbers().entries <= 200);
    CHECK(world.store.numbers().bytes <= world.store.numbers().capacity);
    world.purge(Purge::By::all);
    world.sweep_all();
    CHECK(world.store.numbers().entries == 0);
}

TEST_CASE("after a purge has returned no thread finds what it covers") {
    World world;
    std::atomic<std::uint64_t> generation = 0;  // what is stored from now on says so
    std::atomic<bool> over = false;
    std::atomic<int> wrong = 0;
    const CacheKey key = key_of("a.example/x");
    std::thread filler([&] {
        while (!over) {
            const std::uint64_t began = world.store.purge_position();
            world.store.fill_began(began);
            const std::uint64_t now = generation;
            world.put(key, std::to_string(now), {.position = began});
            world.store.fill_ended(began);
        }
    });
    std::thread purger([&] {
        for (int i = 0; i < 3000; ++i) {
            const std::uint64_t next = ++generation;
            world.purge(i % 2 == 0 ? Purge::By::url : Purge::By::all,
                        i % 2 == 0 ? "a.example/x" : "");
            // Whatever is there now was asked for after the purge, and so after the count.
            if (const EntryRef entry = world.find(key))
                if (std::stoull(text_of(entry->body())) < next) ++wrong;
            (void)world.store.sweep(1000);
        }
        over = true;
    });
    purger.join();
    filler.join();
    CHECK(wrong == 0);
}
