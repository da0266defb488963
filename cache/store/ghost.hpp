// Ghost: which entries were let go of lately, so that one that comes back at once is taken for
// wanted (the ghost queue of S3-FIFO).
//
// Two Bloom filters that take turns: the older one is forgotten when the newer one is full. Under
// two bytes per entry, and a wrong "yes" in about a hundred. Under the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace scrollgate {

class Ghost {
  public:
    /// Remembers `tag`. `window`: how many should be remembered; counts when the filters turn.
    void add(std::uint32_t tag, std::uint32_t window);
    [[nodiscard]] bool contains(std::uint32_t tag) const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;
    /// bytes() at most, for a window.
    [[nodiscard]] static std::size_t most_for(std::uint32_t window) noexcept;
    void reset() noexcept;

  private:
    struct Filter {
        std::vector<std::uint64_t> words;
        std::uint32_t room = 0;  // tags it may still take

        void set(std::uint32_t tag) noexcept;
        [[nodiscard]] bool has(std::uint32_t tag) const noexcept;
    };
    Filter now_, before_;
};

}  // namespace scrollgate
