#include "core/buffer_pool.hpp"

#include <cassert>
#include <new>

#include <sys/mman.h>

namespace scrollgate {

void BufferLease::release() noexcept {
    if (data_ != nullptr) pool_->give_back(std::exchange(data_, nullptr));
}

std::size_t BufferLease::size() const noexcept {
    return data_ != nullptr ? pool_->buffer_size() : 0;
}

BufferPool::BufferPool(std::size_t size, std::size_t most, std::size_t kept)
    : size_(size), most_(most), kept_(kept) {
    void* space = ::mmap(nullptr, size * most, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<char*>(space);
    // A connection's first page is what a small message touches: no huge pages behind our back.
    ::madvise(space, size * most, MADV_NOHUGEPAGE);
    warm_.reserve(kept);
}

BufferPool::~BufferPool() {
    assert(leased_ == 0);
    ::munmap(base_, size_ * most_);
}

BufferLease BufferPool::lease() noexcept {
    std::size_t index = 0;
    if (!warm_.empty()) {
        index = warm_.back();
        warm_.pop_back();
    } else if (!cold_.empty()) {
        index = cold_.back();
        cold_.pop_back();
    } else if (untouched_ < most_) {
        index = untouched_++;
    } else {
        return {};
    }
    ++leased_;
    return {this, base_ + index * size_};
}

void BufferPool::give_back(char* data) noexcept {
    const auto index = static_cast<std::uint32_t>(static_cast<std::size_t>(data - base_) / size_);
    --leased_;
    if (warm_.size() < kept_) {
        warm_.push_back(index);
        return;
    }
    ::madvise(data, size_, MADV_DONTNEED);
    cold_.push_back(index);
}

}  // namespace scrollgate
