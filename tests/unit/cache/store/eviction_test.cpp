// What eviction is worth: hit ratios of the store and of a plain LRU on the same rows of keys.
#include <cmath>
#include <list>
#include <unordered_map>

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

constexpr std::uint32_t objects = 20'000;
constexpr std::uint64_t room = 2000;
constexpr int requests = 200'000;

/// Row of keys by Zipf's law: rank k with weight k^-s.
class Zipf {
  public:
    Zipf(double s, std::uint64_t seed) : rng_(seed) {
        double sum = 0;
        for (std::uint32_t k = 1; k <= objects; ++k)
            sums_.push_back(sum += std::pow(k, -s));
    }
    std::uint32_t next() {
        const double at = static_cast<double>(rng_.next() >> 11) * 0x1p-53 * sums_.back();
        return static_cast<std::uint32_t>(std::lower_bound(sums_.begin(), sums_.end(), at) -
                                          sums_.begin());
    }

  private:
    FastRng rng_;
    std::vector<double> sums_;
};

class Lru {
  public:
    bool use(std::uint32_t key) {
        const auto found = at_.find(key);
        if (found != at_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return true;
        }
        order_.push_front(key);
        at_[key] = order_.begin();
        if (order_.size() > room) {
            at_.erase(order_.back());
            order_.pop_back();
        }
        return false;
    }

  private:
    std::list<std::uint32_t> order_;
    std::unordered_map<std::uint32_t, std::list<std::uint32_t>::iterator> at_;
};

struct Ratios {
    double ours = 0, lru = 0;
};

/// `next()` gives keys; those from `objects` on are a scan's, whose hits do not count.
template <class Next>
Ratios compare(Next&& next) {
    World world(limits::cache_memory, room);
    Lru lru;
    Ratios hits;
    double counted = 0;
    for (int i = 0; i < requests; ++i) {
        const std::uint32_t key = next();
        const CacheKey text = key_of("a.example/" + std::to_string(key));
        const bool ours = world.find(text) != nullptr;
        if (!ours) world.put(text, "", {.lifetime = 1'000'000});
        const bool theirs = lru.use(key);
        if (key >= objects || i < requests / 4) continue;
        ++counted;
        hits.ours += ours ? 1 : 0;
        hits.lru += theirs ? 1 : 0;
    }
    return {hits.ours / counted, hits.lru / counted};
}

}  // namespace

TEST_CASE("eviction keeps more of what is wanted than plain LRU, on Zipf 0.8 and 1.0") {
    for (const auto& [s, margin] : {std::pair{0.8, 0.03}, {1.0, 0.02}}) {
        Zipf zipf(s, 11);
        const Ratios ratios = compare([&] { return zipf.next(); });
        MESSAGE("Zipf " << s << ": hit ratio " << ratios.ours << ", plain LRU " << ratios.lru);
        CHECK(ratios.ours > ratios.lru + margin);
    }
}

TEST_CASE("a scan does not flush what is used again") {
    Zipf zipf(1.0, 12);
    std::uint32_t scan = objects;
    int n = 0;
    // Every 20,000 requests 10,000 keys come that nobody asks for again.
    const Ratios ratios = compare([&] { return ++n % 20'000 < 10'000 ? zipf.next() : scan++; });
    MESSAGE("Zipf 1.0 with scans: hit ratio " << ratios.ours << ", plain LRU " << ratios.lru);
    CHECK(ratios.ours > ratios.lru + 0.04);
}

TEST_CASE("a scan does not flush what is hot where each shard holds a few entries") {
    constexpr int hot = 50;
    World world(limits::cache_memory, 100);
    const auto text = [](int i) { return key_of("a.example/" + std::to_string(i)); };
    for (int i = 0; i < hot; ++i)
        world.put(text(i), "", {.lifetime = 1'000'000});
    for (int round = 0; round < 4; ++round)
        for (int i = 0; i < hot; ++i)
            CHECK(world.find(text(i)));
    for (int i = 0; i < 2000; ++i)
        world.put(text(1000 + i), "", {.lifetime = 1'000'000});
    int kept = 0;
    for (int i = 0; i < hot; ++i)
        kept += world.has(text(i)) ? 1 : 0;
    CHECK(kept == hot);
}

TEST_CASE("where all is hot and there is no more room, something leaves all the same") {
    World world(limits::cache_memory, 100);
    const auto text = [](int i) { return key_of("a.example/" + std::to_string(i)); };
    for (int i = 0; i < 300; ++i) {
        world.put(text(i), "", {.lifetime = 1'000'000});
        for (int use = 0; use < 3; ++use)
            CHECK(world.find(text(i)));
    }
    CHECK(world.store.numbers().entries == 100);
}

TEST_CASE("where shards hold a few entries what is hot now takes the place of what was") {
    constexpr int hot = 50;
    World world(limits::cache_memory, 100);
    FastRng rng(13);
    const auto ask = [&](int i) {
        const CacheKey text = key_of("a.example/" + std::to_string(i));
        if (world.find(text)) return true;
        world.put(text, "", {.lifetime = 1'000'000});
        return false;
    };
    for (const int from : {0, 10'000, 20'000}) {  // another set each time, and as many others
        int hits = 0;
        for (int n = 0; n < 20'000; ++n) {
            const bool hit = ask(from + static_cast<int>(rng.below(hot)));
            static_cast<void>(ask(100'000 + from + n));
            if (n >= 15'000) hits += hit ? 1 : 0;
        }
        CHECK(hits > 4'900);
    }
}
