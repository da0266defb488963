// Who stays: the store's eviction and plain LRU on the same rows of requests.
#include <list>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "bench/load/keys.hpp"
#include "bench/micro/cached_objects.hpp"
#include "bench/micro/tables/tables.hpp"
#include "core/rng.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::uint64_t objects = 200'000;
constexpr std::size_t requests = 2'000'000;

/// Least recently used, exactly: what the store is compared with.
class PlainLru {
  public:
    explicit PlainLru(std::size_t capacity) : capacity_(capacity) {}

    /// True: it was there. Afterwards it is.
    bool ask_for(std::uint64_t number) {
        const auto found = places_.find(number);
        if (found != places_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return true;
        }
        if (places_.size() == capacity_) {
            places_.erase(order_.back());
            order_.pop_back();
        }
        order_.push_front(number);
        places_[number] = order_.begin();
        return false;
    }

  private:
    std::size_t capacity_;
    std::list<std::uint64_t> order_;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places_;
};

/// The same question to a CacheStore, in which every object takes as much as any other.
class OurStore {
  public:
    explicit OurStore(std::size_t capacity)
        : store_(system_clock()),
          draft_(system_clock()),
          body_(packed("x", config::Cache::Compression::off, nullptr)) {
        store_.configure(limits_of(capacity, std::uint64_t{4} << 30));
    }

    bool ask_for(std::uint64_t number) {
        const CacheKey& key = request_.ask_for(number);
        if (store_.find(key, request_.fields()).entry != nullptr) return true;
        store_.insert(draft_.of(key, body_));
        return false;
    }

  private:
    CacheStore store_;
    ObjectRequest request_;
    ObjectDraft draft_;
    BodyRef body_;
};

/// Numbers that are asked for: by Zipf's law, and `scanned` in a hundred by somebody who walks
/// through what nobody else wants, 5,000 at a time.
std::vector<std::uint64_t> row_of(double exponent, unsigned scanned) {
    FastRng rng(42);
    const KeyDistribution popular(objects, exponent);
    std::vector<std::uint64_t> row;
    row.reserve(requests);
    std::uint64_t next_of_scan = objects;
    while (row.size() < requests) {
        for (int i = 0; i < 5000 && scanned > 0; ++i)
            row.push_back(next_of_scan++);
        const std::size_t others = scanned > 0 ? 5000UL * (100 - scanned) / scanned : 5000;
        for (std::size_t i = 0; i < others; ++i)
            row.push_back(popular.draw(rng));
    }
    return row;
}

/// Percent of the second half of the row that were there: by then the cache is full.
template <class Cache>
double hit_ratio(const std::vector<std::uint64_t>& row, std::size_t capacity) {
    Cache cache(capacity);
    std::size_t hits = 0;
    for (std::size_t i = 0; i < row.size(); ++i)
        hits += cache.ask_for(row[i]) && i >= row.size() / 2;
    return 100.0 * static_cast<double>(hits) / static_cast<double>(row.size() - row.size() / 2);
}

void print_rows(std::string_view name, double exponent, unsigned scanned) {
    const std::vector<std::uint64_t> row = row_of(exponent, scanned);
    for (const std::size_t capacity : {2'000UL, 20'000UL}) {
        const double ours = hit_ratio<OurStore>(row, capacity);
        const double plain = hit_ratio<PlainLru>(row, capacity);
        fmt::print("  {:<34} {:>8} {:>9.2f} {:>9.2f} {:>9.2f}\n", name, capacity, ours, plain,
                   ours - plain);
    }
}

}  // namespace

int print_hit_ratio() {
    fmt::print(
        "hit ratio in percent, {} objects of the same size, {} requests\n"
        "  {:<34} {:>8} {:>9} {:>9} {:>9}\n",
        objects, requests, "", "entries", "ours", "plain LRU", "more");
    print_rows("Zipf 0.8", 0.8, 0);
    print_rows("Zipf 1.0", 1.0, 0);
    print_rows("Zipf 0.8, one in five from scans", 0.8, 20);
    print_rows("Zipf 1.0, one in five from scans", 1.0, 20);
    return 0;
}

}  // namespace scrollgate::bench
