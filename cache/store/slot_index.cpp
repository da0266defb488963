#include "cache/store/slot_index.hpp"

#include <algorithm>
#include <cassert>

namespace scrollgate {

SlotIndex::SlotIndex(Slots& slots) : slots_(slots) {
    reset();
}

void SlotIndex::reset() {
    segments_.clear();
    segments_.shrink_to_fit();
    segments_.push_back(std::make_unique<std::uint32_t[]>(each));
    std::fill_n(segments_[0].get(), each, Slots::none);
    half_ = buckets_ = each;
    size_ = 0;
}

void SlotIndex::add(std::uint32_t slot) {
    // Three slots to four buckets.
    if (++size_ > buckets_ / 4 * 3) grow();
    std::uint32_t& head = bucket(place(slots_[slot].tag));
    slots_[slot].chain = head;
    head = slot;
}

void SlotIndex::remove(std::uint32_t slot) noexcept {
    std::uint32_t* at = &bucket(place(slots_[slot].tag));
    while (*at != slot) {
        assert(*at != Slots::none);
        at = &slots_[*at].chain;
    }
    *at = slots_[slot].chain;
    --size_;
}

void SlotIndex::grow() {
    if (buckets_ % each == 0) segments_.push_back(std::make_unique<std::uint32_t[]>(each));
    const std::uint32_t old = buckets_ - half_;
    std::uint32_t* stays = &bucket(old);
    std::uint32_t* goes = &bucket(buckets_);
    for (std::uint32_t slot = *stays; slot != Slots::none; slot = slots_[slot].chain) {
        std::uint32_t*& end = (slots_[slot].tag & half_) != 0 ? goes : stays;
        *end = slot;
        end = &slots_[slot].chain;
    }
    *stays = *goes = Slots::none;
    if (++buckets_ == 2 * half_) half_ = buckets_;
}

std::size_t SlotIndex::bytes() const noexcept {
    return segments_.capacity() * sizeof(segments_[0]) +
           segments_.size() * (each * sizeof(std::uint32_t) + sizeof(std::size_t) * 2);
}

}  // namespace scrollgate
