// MissRatio: what the hit rate would be with more or less memory, while the cache runs.
//
// SHARDS (Waldspurger et al., FAST 2015) of a fixed size: of all keys it follows those whose hash
// is below a threshold, which falls so that there are limits::ratio_samples at most. For each use
// of one it measures how many bytes of others were used since the last (its LRU distance), scaled
// up by the share that is followed. A cache as large as the distance would have had it.
//
// Any thread; asking whether a key is followed is one comparison, the rest is under a mutex and
// happens for few: where even the keys that are followed are used very often, the threshold falls
// further, and it rises again when hardly any is left. A hit pays for it, so nothing is sorted or
// walked through there: what is no longer followed goes a few at a time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "core/limits.hpp"

namespace scrollgate {

class MissRatio {
  public:
    MissRatio();

    /// A key with this hash is followed.
    [[nodiscard]] bool follows(std::uint64_t hash) const noexcept {
        return value_of(hash) < threshold_.load(std::memory_order_relaxed);
    }
    /// It was used, and takes `bytes`.
    void use(std::uint64_t hash, std::size_t bytes);
    /// It has expired or was purged: the next use would be a miss in any cache.
    void forget(std::uint64_t hash);
    /// Part of `uses` (all that there were, followed or not) that would have been hits with
    /// `memory` bytes; 0 before the first.
    [[nodiscard]] double hit_rate(std::uint64_t memory, std::uint64_t uses) const;
    /// What was long ago counts less: about once per second, with all uses until now.
    void age(std::uint64_t uses);

  private:
    struct Sample {
        std::uint32_t time;
        std::uint64_t bytes;
    };
    using Samples = std::map<std::uint64_t, Sample>;  // by value_of()

    // The store takes the lowest and the highest bits for other ends.
    [[nodiscard]] static std::uint64_t value_of(std::uint64_t hash) noexcept {
        return hash << 28 | hash >> 36;
    }
    [[nodiscard]] double part() const noexcept;
    [[nodiscard]] std::uint64_t bytes_until(std::uint32_t time) const noexcept;
    void change(std::uint32_t time, std::uint64_t by) noexcept;
    void renumber();
    void drop(Samples::iterator sample);
    void drop_unfollowed(unsigned most);

    static constexpr std::uint32_t times = 4 * limits::ratio_samples;
    static constexpr unsigned steps = 8;  // of the distances' scale, per doubling
    static constexpr unsigned scale = 48 * steps;

    std::atomic<std::uint64_t> threshold_{UINT64_MAX};
    mutable std::mutex mutex_;
    Samples samples_;
    std::vector<std::uint64_t> tree_;  // Fenwick's: bytes by time of the last use
    std::vector<Sample*> by_time_;     // whose last use was then; null: nobody's
    std::uint32_t time_ = 0;
    std::uint64_t bytes_ = 0;
    std::array<double, scale> distances_{};  // uses, each for all that it stands for
    double sum_ = 0;                         // those and the first ones
    double expected_ = 0;                    // uses before aged_at_, as far as they still count
    std::uint64_t aged_at_ = 0;
    std::uint32_t since_aged_ = 0;
    std::uint32_t since_looked_ = 0;
};

}  // namespace scrollgate
