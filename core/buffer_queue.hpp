// BufferQueue: bytes that wait, in buffers of a pool, first in, first out.
//
// What is given out stays where it is until it is consumed; an empty queue holds no buffer. How
// much may wait is the caller's to bound. One worker; no locks. Capacity is kept.
#pragma once

#include <string_view>
#include <vector>

#include "core/buffer_pool.hpp"

namespace scrollgate {

class BufferQueue {
  public:
    /// Copies `bytes` behind the others. False if the pool is exhausted; then only a first part of
    /// them is there.
    [[nodiscard]] bool append(BufferPool& pool, std::string_view bytes);
    /// The first bytes that lie together; empty if there are none. Valid until they are consumed.
    [[nodiscard]] std::string_view front() const noexcept;
    /// The first `count` bytes, at most those of front(), are gone.
    void consume(std::size_t count) noexcept;
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Bytes that wait.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void clear() noexcept;

  private:
    struct Piece {
        BufferLease lease;
        std::size_t begin = 0, end = 0;
    };

    std::vector<Piece> pieces_;  ///< the first `first_` are used up
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace scrollgate
