// HotKeys: which keys are used most, by a sample of the uses, in a memory of fixed size.
//
// Counters stand in sets of eight, by the key's hash. Space-Saving (Metwally et al. 2005) would
// give the place of a set's smallest count to any newcomer, so that a scan of keys that are used
// once would wear all of them down; here (randomised admission, Ben Basat et al. 2017) it gets it
// only with the probability by which it would be the more used of the two. What was long ago
// counts less: after so many uses all counts are halved.
//
// Any thread. A mutex that nobody waits for: a use that finds it taken is not counted.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace scrollgate {

class HotKeys {
  public:
    HotKeys();

    /// A key with this hash was used; the one of a sample, which stands for `uses`.
    void count(std::uint64_t hash, std::uint32_t uses) noexcept;
    /// Hashes of the keys that are counted, the most used first.
    [[nodiscard]] std::vector<std::uint64_t> hottest() const;

  private:
    struct Counter {
        std::uint64_t hash = 0;
        std::uint32_t uses = 0;  // 0: free
    };
    void age() noexcept;
    [[nodiscard]] std::uint32_t random() noexcept;

    mutable std::mutex mutex_;
    std::vector<Counter> counters_;
    std::uint64_t since_aged_ = 0;
    std::uint64_t random_ = 1;
};

}  // namespace scrollgate
