// ByteRing: a row of bytes from one producer thread to one consumer thread, without locks.
//
// What is published is whole lines, so the consumer never sees half of one. The producer writes
// into contiguous room (`slack` bytes beyond the end hold what wraps until publish() copies it).
// Positions count bytes since the start and never wrap in practice (2^64).
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include <sys/uio.h>

namespace scrollgate {

class ByteRing {
  public:
    /// `slack` is the most that one reserve() may ask for; at most `capacity`.
    ByteRing(std::size_t capacity, std::size_t slack)
        : capacity_(capacity),
          slack_(slack),
          bytes_(std::make_unique_for_overwrite<char[]>(capacity + slack)) {
        assert(slack <= capacity);
    }

    // -- producer

    /// Room for `size` contiguous bytes, or nullptr if so many are not free.
    [[nodiscard]] char* reserve(std::size_t size) noexcept {
        assert(size <= slack_);
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        if (capacity_ - (head - seen_tail_) < size) {
            seen_tail_ = tail_.load(std::memory_order_acquire);
            if (capacity_ - (head - seen_tail_) < size) return nullptr;
        }
        return bytes_.get() + head % capacity_;
    }

    /// Hands the first `size` bytes of the reserved room to the consumer. Sequentially consistent:
    /// a consumer that announced its sleep before either sees them or is seen asleep.
    void publish(std::size_t size) noexcept {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        const std::size_t end = head % capacity_ + size;
        if (end > capacity_) std::memcpy(bytes_.get(), bytes_.get() + capacity_, end - capacity_);
        head_.store(head + size, std::memory_order_seq_cst);
    }

    // -- consumer

    [[nodiscard]] bool empty() const noexcept {
        return head_.load(std::memory_order_seq_cst) == tail_.load(std::memory_order_relaxed);
    }

    /// Everything that waits, as at most two pieces. Returns the number of bytes.
    std::size_t peek(iovec (&pieces)[2]) noexcept {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        const std::size_t size = head_.load(std::memory_order_acquire) - tail;
        const std::size_t start = tail % capacity_;
        const std::size_t first = size < capacity_ - start ? size : capacity_ - start;
        pieces[0] = {bytes_.get() + start, first};
        pieces[1] = {bytes_.get(), size - first};
        return size;
    }

    /// Gives back the oldest `size` bytes.
    void consume(std::size_t size) noexcept {
        tail_.store(tail_.load(std::memory_order_relaxed) + size, std::memory_order_release);
    }

  private:
    const std::size_t capacity_;
    [[maybe_unused]] const std::size_t slack_;  ///< for the assertion
    const std::unique_ptr<char[]> bytes_;
    alignas(64) std::atomic<std::uint64_t> head_{0};  // written by the producer
    std::uint64_t seen_tail_ = 0;                     // the producer's last look at tail_
    alignas(64) std::atomic<std::uint64_t> tail_{0};  // written by the consumer
};

}  // namespace scrollgate
