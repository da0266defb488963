// ExpiryWheel: entries by the second in which they end, so that they leave without a look at
// others.
//
// Four levels of 16 lists: seconds, 16, 256 and 4,096 of them. What is due later than all levels
// reach waits in the farthest list and is placed again when its time comes. Nothing moves until
// advance() comes by, and that stops when it has done enough. Under the shard's lock.
#pragma once

#include <cstdint>

#include "cache/store/slots.hpp"

namespace scrollgate {

class ExpiryWheel {
  public:
    /// `now`: whole seconds since the store began.
    ExpiryWheel(Slots& slots, std::uint64_t now) noexcept
        : lists_(slots), slots_(slots), now_(now) {}

    /// `due`: the second after which it may go; what is due already goes in the next.
    void add(std::uint32_t slot, std::uint64_t due) noexcept;
    void remove(std::uint32_t slot) noexcept { lists_.remove(slot); }

    /// Goes on towards `now` for up to `budget` moves, which it counts down, and calls
    /// `gone(slot)` for each that is due by `due_of(entry)`; gone() takes it out. True: it is
    /// there.
    template <class DueOf, class Gone>
    bool advance(std::uint64_t now, unsigned& budget, DueOf&& due_of, Gone&& gone);

  private:
    static constexpr unsigned levels = 4;
    static constexpr unsigned bits = 4;
    static constexpr std::uint64_t mask = (1U << bits) - 1;

    [[nodiscard]] static std::uint32_t list_at(unsigned level, std::uint64_t second) noexcept {
        return static_cast<std::uint32_t>((level << bits) + ((second >> (level * bits)) & mask));
    }

    SlotLists<&Slot::wheel, levels << bits> lists_;
    Slots& slots_;
    std::uint64_t now_;  // all up to this second is done
};

template <class DueOf, class Gone>
bool ExpiryWheel::advance(std::uint64_t now, unsigned& budget, DueOf&& due_of, Gone&& gone) {
    while (now_ < now) {
        const std::uint64_t second = now_ + 1;
        // A list of a higher level is divided when the second comes with which it begins.
        for (unsigned level = levels; level-- > 0;) {
            if ((second & ((std::uint64_t{1} << (level * bits)) - 1)) != 0) continue;
            const std::uint32_t list = list_at(level, second);
            std::uint32_t last = lists_.back(list);
            for (; last != Slots::none; last = lists_.back(list)) {
                if (budget == 0) return false;
                --budget;
                const std::uint64_t due = due_of(*slots_[last].entry);
                if (due <= second) {
                    gone(last);
                } else {
                    lists_.remove(last);
                    add(last, due);
                }
            }
        }
        now_ = second;
    }
    return true;
}

}  // namespace scrollgate
