#include "cache/store/eviction.hpp"

namespace scrollgate {
namespace {

constexpr unsigned wanted = 2;        // uses in the small queue that lead to the main one
constexpr unsigned steps_most = 256;  // of one search; then what stands last leaves, used or not

}  // namespace

void Eviction::add(std::uint32_t i, std::size_t bytes) noexcept {
    Slot& slot = slots_[i];
    slot.use = 0;
    slot.in_main = ghost_.contains(slot.tag) ? 1 : 0;
    queues_.push_front(slot.in_main ? main : small, i);
    bytes_of(slot) += bytes;
}

void Eviction::remove(std::uint32_t i, std::size_t bytes) noexcept {
    queues_.remove(i);
    bytes_of(slots_[i]) -= bytes;
}

void Eviction::resize(std::uint32_t i, std::size_t before, std::size_t now) noexcept {
    std::size_t& sum = bytes_of(slots_[i]);
    sum = sum - before + now;
}

void Eviction::to_main(std::uint32_t i) noexcept {
    Slot& slot = slots_[i];
    if (!slot.in_main) {
        const std::size_t bytes = slot.entry->charged();
        small_bytes_ -= bytes;
        main_bytes_ += bytes;
        slot.in_main = 1;
    }
    queues_.remove(i);
    queues_.push_front(main, i);
}

std::uint32_t Eviction::victim(Reach reach) {
    std::uint32_t kept = Slots::none;  // the first that has gone round
    for (unsigned step = 0;; ++step) {
        std::uint32_t i = queues_.back(reach == Reach::fresh ? small : main);
        if (i == Slots::none && reach != Reach::fresh) i = queues_.back(small);
        if (i == Slots::none || (i == kept && reach != Reach::any)) return Slots::none;
        if (kept == Slots::none) kept = i;
        Slot& slot = slots_[i];
        const bool stays = slot.in_main ? slot.use > 0 : slot.use >= wanted;
        if (!stays || step == steps_most) {
            if (!slot.in_main) ghost_.add(slot.tag, slots_.used());
            return i;
        }
        slot.use = slot.in_main ? (slot.use - 1U) & 3U : 0;
        to_main(i);
    }
}

}  // namespace scrollgate
