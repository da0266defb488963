#include "cache/store/hot_keys.hpp"

#include <algorithm>
#include <span>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

constexpr std::size_t ways = 8;
constexpr std::size_t sets = limits::hottest_counted / ways;
constexpr std::uint64_t aged_after = 4'000'000;  // uses

}  // namespace

HotKeys::HotKeys() : counters_(sets * ways) {}

void HotKeys::count(std::uint64_t hash, std::uint32_t uses) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    if ((since_aged_ += uses) >= aged_after) age();
    // The store takes the lowest and the highest bits for other ends.
    const std::span<Counter> set(&counters_[(hash >> 28) % sets * ways], ways);
    const auto less = [](const Counter& a, const Counter& b) { return a.uses < b.uses; };
    for (Counter& counter : set) {
        if (counter.uses == 0 || counter.hash != hash) continue;
        counter.uses += uses;
        return;
    }
    Counter& least = *std::min_element(set.begin(), set.end(), less);
    if (random() % (least.uses + uses) < uses) least = {hash, least.uses + uses};
}

std::vector<std::uint64_t> HotKeys::hottest() const {
    std::vector<Counter> all;
    {
        const std::lock_guard lock(mutex_);
        std::copy_if(counters_.begin(), counters_.end(), std::back_inserter(all),
                     [](const Counter& counter) { return counter.uses > 0; });
    }
    std::sort(all.begin(), all.end(),
              [](const Counter& a, const Counter& b) { return a.uses > b.uses; });
    std::vector<std::uint64_t> hashes(all.size());
    std::transform(all.begin(), all.end(), hashes.begin(),
                   [](const Counter& counter) { return counter.hash; });
    return hashes;
}

void HotKeys::age() noexcept {
    since_aged_ = 0;
    for (Counter& counter : counters_)
        counter.uses /= 2;
}

// Knuth's linear congruence; only its high bits are good.
std::uint32_t HotKeys::random() noexcept {
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(random_ >> 32);
}

}  // namespace scrollgate
