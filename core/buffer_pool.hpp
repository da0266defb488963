// BufferPool: a worker's receive buffers, all of one size, bounded in number.
//
// Address space is reserved once; pages become resident when a buffer is first used. Free buffers
// are handed out last-in first-out, so a busy worker cycles through few warm ones; beyond `kept`
// free buffers, the pages of a returned one go back to the kernel, so that a burst of connections
// leaves nothing behind. One worker; no locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace scrollgate {

class BufferPool;

/// A leased buffer (RAII). Empty when default-constructed or when the pool was exhausted.
class BufferLease {
  public:
    BufferLease() = default;
    BufferLease(BufferLease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
    BufferLease& operator=(BufferLease&& other) noexcept {
        if (this != &other) {
            release();
            pool_ = std::exchange(other.pool_, nullptr);
            data_ = std::exchange(other.data_, nullptr);
        }
        return *this;
    }
    ~BufferLease() { release(); }

    void release() noexcept;
    explicit operator bool() const noexcept { return data_ != nullptr; }
    [[nodiscard]] char* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept;

  private:
    friend class BufferPool;
    BufferLease(BufferPool* pool, char* data) noexcept : pool_(pool), data_(data) {}

    BufferPool* pool_ = nullptr;
    char* data_ = nullptr;
};

class BufferPool {
  public:
    /// `size` is a multiple of 4 KiB. Throws std::bad_alloc if the address space is not to be had.
    BufferPool(std::size_t size, std::size_t most, std::size_t kept);
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// A buffer with undefined content, or an empty lease when all are out.
    [[nodiscard]] BufferLease lease() noexcept;
    [[nodiscard]] std::size_t buffer_size() const noexcept { return size_; }
    /// Buffers that are out now.
    [[nodiscard]] std::size_t leased() const noexcept { return leased_; }

  private:
    friend class BufferLease;
    void give_back(char* data) noexcept;

    std::size_t size_, most_, kept_;
    char* base_;
    std::size_t untouched_ = 0;  ///< buffers below this index have been used
    std::size_t leased_ = 0;
    std::vector<std::uint32_t> warm_;  ///< free, pages resident
    std::vector<std::uint32_t> cold_;  ///< free, pages given back
};

}  // namespace scrollgate
