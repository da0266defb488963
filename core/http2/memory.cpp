#include "core/http2/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "core/frame_pool.hpp"

namespace scrollgate::http2 {
namespace {

/// Stands before each block, since free() is not told the size.
struct alignas(std::max_align_t) Header {
    std::size_t size;  ///< with the header
};

Header* header_of(void* block) noexcept {
    return static_cast<Header*>(block) - 1;
}

// nghttp2 takes a null pointer for an answer, an exception it does not.
void* take(std::size_t size, void*) noexcept {
    const std::size_t whole = size + sizeof(Header);
    try {
        return new (allocate_frame(whole)) Header{whole} + 1;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void give_back(void* block, void*) noexcept {
    if (block != nullptr) free_frame(header_of(block), header_of(block)->size);
}

void* take_zeroed(std::size_t count, std::size_t size, void*) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
    void* const block = take(bytes, nullptr);
    return block != nullptr ? std::memset(block, 0, bytes) : nullptr;
}

void* resize(void* block, std::size_t size, void*) noexcept {
    void* const larger = take(size, nullptr);
    if (block == nullptr || larger == nullptr) return larger;
    std::memcpy(larger, block, std::min(size, header_of(block)->size - sizeof(Header)));
    give_back(block, nullptr);
    return larger;
}

nghttp2_mem memory{nullptr, take, give_back, take_zeroed, resize};

}  // namespace

nghttp2_mem* pooled_memory() noexcept {
    return &memory;
}

}  // namespace scrollgate::http2
