#include "core/buffer_queue.hpp"

#include <cassert>

namespace scrollgate {

bool BufferQueue::append(BufferPool& pool, std::string_view bytes) {
    while (!bytes.empty()) {
        if (first_ == pieces_.size() || pieces_.back().end == pieces_.back().lease.size()) {
            BufferLease lease = pool.lease();
            if (!lease) return false;
            pieces_.push_back({std::move(lease)});
        }
        Piece& last = pieces_.back();
        const std::size_t part =
            bytes.copy(last.lease.data() + last.end, last.lease.size() - last.end);
        last.end += part;
        size_ += part;
        bytes.remove_prefix(part);
    }
    return true;
}

std::string_view BufferQueue::front() const noexcept {
    if (first_ == pieces_.size()) return {};
    const Piece& piece = pieces_[first_];
    return {piece.lease.data() + piece.begin, piece.end - piece.begin};
}

void BufferQueue::consume(std::size_t count) noexcept {
    if (count == 0) return;
    Piece& piece = pieces_[first_];
    assert(count <= piece.end - piece.begin);
    size_ -= count;
    piece.begin += count;
    if (piece.begin < piece.end) return;
    piece.lease.release();
    if (++first_ == pieces_.size() || first_ >= 64) {
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

void BufferQueue::clear() noexcept {
    pieces_.clear();
    first_ = size_ = 0;
}

}  // namespace scrollgate
