// Eviction by S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023).
//
// What is new waits in a small queue, a tenth of the bytes. Used meanwhile, it goes on to the main
// queue, else it leaves and is remembered in the ghost; what comes back while it is remembered goes
// to the main queue at once. At the end of the main queue whatever was used goes round again. So a
// scan passes through a tenth of the store and leaves the rest alone, and a use is two bits in a
// slot that nobody moves. Under the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cache/store/ghost.hpp"
#include "cache/store/slots.hpp"

namespace scrollgate {

class Eviction {
  public:
    explicit Eviction(Slots& slots) noexcept : slots_(slots), queues_(slots) {}

    /// Queues a new slot of `bytes` bytes.
    void add(std::uint32_t slot, std::size_t bytes) noexcept;
    void remove(std::uint32_t slot, std::size_t bytes) noexcept;
    /// The entry in `slot` was replaced by one of another size.
    void resize(std::uint32_t slot, std::size_t before, std::size_t now) noexcept;
    void use(Slot& slot) const noexcept {
        if (slot.use < Slot::use_most) slot.use = (slot.use + 1U) & 3U;
    }
    /// Where a search goes: to what is new and was not used; to what is old and was not used
    /// lately; to whatever stands last.
    enum class Reach : std::uint8_t { fresh, unused, any };
    /// The slot that should leave, which the ghost remembers from now on; it is still queued.
    /// Slots::none: there is none within `reach`. Bounded work.
    [[nodiscard]] std::uint32_t victim(Reach reach);
    /// Of bytes() those in the small queue.
    [[nodiscard]] std::size_t new_bytes() const noexcept { return small_bytes_; }
    /// They are so many that some of them should leave before others do.
    [[nodiscard]] static bool are_too_many(std::size_t new_bytes, std::size_t bytes) noexcept {
        return new_bytes > 0 && new_bytes * small_part >= bytes;
    }
    /// Bytes in both queues.
    [[nodiscard]] std::size_t bytes() const noexcept { return small_bytes_ + main_bytes_; }
    [[nodiscard]] std::size_t ghost_bytes() const noexcept { return ghost_.bytes(); }
    void forget_ghost() noexcept { ghost_.reset(); }

  private:
    enum : std::uint32_t { small, main };
    static constexpr std::size_t small_part = 10;  ///< the small queue's share is one of so many

    [[nodiscard]] std::size_t& bytes_of(const Slot& slot) noexcept {
        return slot.in_main ? main_bytes_ : small_bytes_;
    }
    void to_main(std::uint32_t i) noexcept;

    Slots& slots_;
    SlotLists<&Slot::queue, 2> queues_;
    std::size_t small_bytes_ = 0;
    std::size_t main_bytes_ = 0;
    Ghost ghost_;
};

}  // namespace scrollgate
