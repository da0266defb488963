// The store against a plain map: thousands of random steps, on a manual clock.
#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

/// What the model knows of an entry: it may be gone only for a reason that it can name.
struct Known {
    std::string body;
    std::set<std::string> tags;
    TimePoint ends;
    bool soft = false;
};

class Game {
  public:
    Game(std::uint64_t seed, std::uint64_t memory, std::uint64_t max_entries)
        : world_(memory, max_entries), rng_(seed), evicts_(max_entries != limits::unlimited) {}

    void play(int steps) {
        for (int i = 0; i < steps; ++i) {
            const std::uint64_t dice = rng_.below(100);
            if (dice < 40)
                put();
            else if (dice < 85)
                look();
            else if (dice < 88)
                purge();
            else if (dice < 92)
                (void)world_.store.sweep(rng_.below(200));
            else if (dice < 95)
                pass_time();
            else
                take_out();
        }
        finish();
    }

  private:
    CacheKey some_key() {
        const std::string url = "h" + std::to_string(rng_.below(3)) + "/" +
                                std::to_string(rng_.below(8)) + "/" +
                                std::to_string(rng_.below(20));
        const std::string chosen = rng_.below(4) == 0 ? "c: " + std::to_string(rng_.below(2)) : "";
        return key_of(url, "p", rng_.below(2) == 0 ? "http" : "https", chosen);
    }

    void put() {
        const CacheKey key = some_key();
        Known known;
        known.body = std::string(rng_.below(3000), static_cast<char>('a' + rng_.below(26)));
        std::vector<std::string_view> tags;
        static constexpr std::string_view names[] = {"red", "green", "blue"};
        for (const std::string_view name : names)
            if (rng_.below(3) == 0) {
                tags.push_back(name);
                known.tags.emplace(name);
            }
        const auto lifetime = static_cast<std::uint32_t>(rng_.below(100));
        known.ends = world_.clock.now() + std::chrono::seconds(lifetime);
        REQUIRE(world_.put(key, known.body, {.lifetime = lifetime, .tags = tags}).entry);
        model_[key.text] = known;
    }

    void look() {
        const CacheKey key = some_key();
        const EntryRef entry = world_.find(key);
        const auto known = model_.find(key.text);
        if (!entry) {
            // Lost without a reason only if others needed the room.
            CHECK((known == model_.end() || evicts_ || known->second.ends < world_.clock.now()));
            return;
        }
        REQUIRE(known != model_.end());
        CHECK(text_of(entry->body()) == known->second.body);
        CHECK(entry->softly_purged() == known->second.soft);
        CHECK(entry->tags().size() == known->second.tags.size());
    }

    void purge() {
        static constexpr Purge::By kinds[] = {Purge::By::url, Purge::By::url, Purge::By::prefix,
                                              Purge::By::tag, Purge::By::all};
        Purge purge;
        purge.by = kinds[rng_.below(rng_.below(4) == 0 ? 5 : 4)];
        purge.soft = rng_.below(3) == 0;
        if (purge.by == Purge::By::tag) {
            purge.what = rng_.below(2) == 0 ? "red" : "blue";
        } else {
            purge.what = "h" + std::to_string(rng_.below(3)) + "/" + std::to_string(rng_.below(8));
            if (purge.by == Purge::By::url) purge.what += "/" + std::to_string(rng_.below(20));
            purge.scheme = rng_.below(3) == 0 ? "https" : "";
        }
        REQUIRE(world_.store.purge(purge));
        for (auto it = model_.begin(); it != model_.end();)
            if (!covers(purge, it->first, it->second)) {
                ++it;
            } else if (purge.soft) {
                it++->second.soft = true;
            } else {
                it = model_.erase(it);
            }
    }

    static bool covers(const Purge& purge, const std::string& key, const Known& known) {
        if (purge.by == Purge::By::all) return true;
        if (purge.by == Purge::By::tag) return known.tags.contains(purge.what);
        const CacheKeyParts parts = parts_of(key);
        if (!purge.scheme.empty() && purge.scheme != parts.scheme) return false;
        const std::string url = std::string(parts.authority) + std::string(parts.target);
        return purge.by == Purge::By::url ? url == purge.what : url.starts_with(purge.what);
    }

    void pass_time() {
        world_.clock.advance(std::chrono::milliseconds(rng_.below(20'000)));
        world_.store.expire();
        // What is over by more than the wheel's two seconds is gone.
        for (auto it = model_.begin(); it != model_.end();)
            it = it->second.ends + std::chrono::seconds(2) < world_.clock.now() ? model_.erase(it)
                                                                                : std::next(it);
    }

    void take_out() {
        const CacheKey key = some_key();
        if (const EntryRef entry = world_.find(key)) CHECK(world_.store.remove(*entry));
        CHECK_FALSE(world_.has(key));
        model_.erase(key.text);
    }

    void finish() {
        world_.sweep_all();
        const CacheNumbers numbers = world_.store.numbers();
        CHECK(numbers.entries <= model_.size());
        if (!evicts_) CHECK(numbers.evictions == 0);
        CHECK(numbers.bytes <= numbers.capacity);
        world_.purge(Purge::By::all);
        world_.sweep_all();
        CHECK(world_.store.numbers().entries == 0);
        CHECK(world_.store.numbers().bytes_raw == 0);
    }

    World world_;
    FastRng rng_;
    bool evicts_;
    std::map<std::string, Known> model_;
};

}  // namespace

TEST_CASE("the store agrees with a plain map over random steps") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        Game(seed, limits::cache_memory, limits::unlimited).play(4000);
    }
}

TEST_CASE("the store agrees with a plain map while it evicts") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        Game(seed, limits::cache_memory_min, 100).play(4000);
    }
}
