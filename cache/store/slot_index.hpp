// SlotIndex: from a tag to the chain of slots that have it.
//
// Linear hashing (Litwin 1980): the table grows by one bucket at a time, which divides one other,
// so that no insertion pays for all. The newest slot of a chain comes first, and keeps doing so.
// Under the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/store/slots.hpp"

namespace scrollgate {

class SlotIndex {
  public:
    explicit SlotIndex(Slots& slots);

    /// The first slot of the chain in which `tag` would be; follow Slot::chain.
    [[nodiscard]] std::uint32_t first(std::uint32_t tag) const noexcept {
        return bucket(place(tag));
    }
    /// Makes `slot`, whose tag is set, the first of its chain.
    void add(std::uint32_t slot);
    void remove(std::uint32_t slot) noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;
    /// Back to the smallest size; nothing is in it.
    void reset();

  private:
    static constexpr std::uint32_t each = 128;  // buckets of a segment

    [[nodiscard]] std::uint32_t place(std::uint32_t tag) const noexcept {
        const std::uint32_t wide = tag & (2 * half_ - 1);
        return wide < buckets_ ? wide : tag & (half_ - 1);
    }
    [[nodiscard]] std::uint32_t& bucket(std::uint32_t i) const noexcept {
        return segments_[i / each][i % each];
    }
    void grow();

    Slots& slots_;
    std::vector<std::unique_ptr<std::uint32_t[]>> segments_;
    std::uint32_t half_ = each;  // a power of two; half_ <= buckets_ < 2 * half_
    std::uint32_t buckets_ = each;
    std::uint32_t size_ = 0;
};

}  // namespace scrollgate
