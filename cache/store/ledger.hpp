// Ledger: how many bytes the cache holds, and how many it may.
//
// Whoever holds memory charges it before, and gives it back when the memory is freed, not when it
// leaves the store: an entry that a slow client still reads counts until then. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/limits.hpp"

namespace scrollgate {

class Ledger {
  public:
    /// Charges `bytes` if they fit.
    [[nodiscard]] bool charge(std::size_t bytes) noexcept;
    /// Charges what is there already, and so cannot be refused: tables that grew. Callers keep room
    /// for it (charge() more than they need first), so that capacity() holds all the same.
    void add(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
    void release(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    void set_capacity(std::uint64_t bytes) noexcept {
        capacity_.store(bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t capacity() const noexcept {
        return capacity_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t used() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> used_{0};
    std::atomic<std::uint64_t> capacity_{limits::cache_memory};
};

}  // namespace scrollgate
