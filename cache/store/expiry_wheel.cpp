#include "cache/store/expiry_wheel.hpp"

#include <algorithm>

namespace scrollgate {

void ExpiryWheel::add(std::uint32_t slot, std::uint64_t due) noexcept {
    due = std::max(due, now_ + 1);
    // The lowest level that reaches so far: sixteen lists from the next one on, of which none has
    // been passed, and none is the one that is being divided.
    for (unsigned level = 0; level < levels; ++level) {
        const unsigned shift = level * bits;
        if ((due >> shift) - (now_ >> shift) <= mask + 1) {
            lists_.push_front(list_at(level, due), slot);
            return;
        }
    }
    constexpr unsigned top = (levels - 1) * bits;
    lists_.push_front(list_at(levels - 1, ((now_ >> top) + mask + 1) << top), slot);
}

}  // namespace scrollgate
