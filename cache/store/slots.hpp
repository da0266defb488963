// Slots: what a shard knows about each of its entries, in 32 bytes beside the entry, so that walks
// along chains and queues do not touch the entries themselves.
//
// Slots are numbered; a list is a ring of numbers through one Link of each slot and a head of its
// own. Segments of slots come as they are needed and stay until reset(). Under the shard's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/entry.hpp"

namespace scrollgate {

struct Link {
    std::uint32_t before, behind;
};

struct Slot {
    static constexpr unsigned use_most = 3;

    const CacheEntry* entry = nullptr;  // null: free. The store's reference
    std::uint32_t tag : 28 = 0;         // of the place's hash
    std::uint32_t use : 2 = 0;          // since it was queued, use_most at most
    std::uint32_t in_main : 1 = 0;      // else in the small queue
    std::uint32_t chosen : 1 = 0;       // its key has lines of headers or cookies
    std::uint32_t chain = 0;            // the next one in its bucket; or the next free one
    Link queue{};                       // of eviction
    Link wheel{};                       // of expiry
};
static_assert(sizeof(Slot) == 32);

class Slots {
  public:
    static constexpr std::uint32_t none = 0xffff'ffff;
    static constexpr std::uint32_t first_head = 0xffff'0000;  // numbers from here are lists' heads

    [[nodiscard]] Slot& operator[](std::uint32_t i) noexcept {
        return segments_[i / each][i % each];
    }
    [[nodiscard]] const Slot& operator[](std::uint32_t i) const noexcept {
        return segments_[i / each][i % each];
    }
    /// Numbers below this may be in use.
    [[nodiscard]] std::uint32_t end() const noexcept {
        return static_cast<std::uint32_t>(segments_.size()) * each;
    }
    [[nodiscard]] std::uint32_t used() const noexcept { return used_; }
    [[nodiscard]] std::uint32_t take();
    void give(std::uint32_t i) noexcept;
    /// Bytes of memory held.
    [[nodiscard]] std::size_t bytes() const noexcept;
    /// Frees all memory; no slot is in use.
    void reset() noexcept;

  private:
    static constexpr std::uint32_t each = 64;

    std::vector<std::unique_ptr<Slot[]>> segments_;
    std::uint32_t free_ = none;
    std::uint32_t used_ = 0;
};

/// `Count` lists through the link `member` of slots.
template <Link Slot::*member, std::uint32_t Count>
class SlotLists {
  public:
    explicit SlotLists(Slots& slots) noexcept : slots_(slots) {
        for (std::uint32_t i = 0; i < Count; ++i)
            heads_[i] = {Slots::first_head + i, Slots::first_head + i};
    }
    void push_front(std::uint32_t list, std::uint32_t slot) noexcept {
        Link& head = heads_[list];
        slots_[slot].*member = {Slots::first_head + list, head.behind};
        at(head.behind).before = slot;
        head.behind = slot;
    }
    void remove(std::uint32_t slot) noexcept {
        const Link link = slots_[slot].*member;
        at(link.before).behind = link.behind;
        at(link.behind).before = link.before;
    }
    /// The last one, or Slots::none.
    [[nodiscard]] std::uint32_t back(std::uint32_t list) const noexcept {
        const std::uint32_t last = heads_[list].before;
        return last >= Slots::first_head ? Slots::none : last;
    }
    /// The one before `slot`, or Slots::none.
    [[nodiscard]] std::uint32_t before(std::uint32_t slot) const noexcept {
        const std::uint32_t found = (slots_[slot].*member).before;
        return found >= Slots::first_head ? Slots::none : found;
    }

  private:
    [[nodiscard]] Link& at(std::uint32_t i) noexcept {
        return i >= Slots::first_head ? heads_[i - Slots::first_head] : slots_[i].*member;
    }

    Slots& slots_;
    std::array<Link, Count> heads_;
};

}  // namespace scrollgate
