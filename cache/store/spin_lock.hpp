// SpinLock: a lock for the few dozen instructions of a look-up, one byte of memory.
//
// Whoever finds it taken tries for about a microsecond and then lets others run: the holder may
// have lost its processor. For std::lock_guard. Any thread.
#pragma once

#include <atomic>
#include <thread>

namespace scrollgate {

class SpinLock {
  public:
    void lock() noexcept {
        while (taken_.exchange(true, std::memory_order_acquire))
            wait();
    }
    bool try_lock() noexcept { return !taken_.exchange(true, std::memory_order_acquire); }
    void unlock() noexcept { taken_.store(false, std::memory_order_release); }

  private:
    static constexpr unsigned tries = 64;

    void wait() const noexcept {
        for (unsigned i = 0; taken_.load(std::memory_order_relaxed); ++i)
            if (i < tries)
                __builtin_ia32_pause();
            else
                std::this_thread::yield();
    }

    std::atomic<bool> taken_{false};
};

}  // namespace scrollgate
