#include "cache/store/slots.hpp"

#include <cassert>

namespace scrollgate {

std::uint32_t Slots::take() {
    if (free_ == none) {
        const std::uint32_t first = end();
        segments_.push_back(std::make_unique<Slot[]>(each));
        for (std::uint32_t i = first + each; i-- > first;) {
            (*this)[i].chain = free_;
            free_ = i;
        }
    }
    const std::uint32_t taken = free_;
    free_ = (*this)[taken].chain;
    ++used_;
    return taken;
}

void Slots::give(std::uint32_t i) noexcept {
    assert((*this)[i].entry == nullptr);
    (*this)[i] = Slot{};
    (*this)[i].chain = free_;
    free_ = i;
    --used_;
}

std::size_t Slots::bytes() const noexcept {
    return segments_.capacity() * sizeof(segments_[0]) +
           segments_.size() * (each * sizeof(Slot) + 2 * sizeof(std::size_t));
}

void Slots::reset() noexcept {
    assert(used_ == 0);
    segments_.clear();
    segments_.shrink_to_fit();
    free_ = none;
}

}  // namespace scrollgate
