// Memory for coroutine frames: free lists per size class and thread.
//
// A request starts some thirty coroutines of the same few sizes; recycling their frames costs a few
// instructions each, and the class is known where the call is compiled. Frames stay on the thread
// that made them (structured coroutines never migrate). Each list is bounded; under
// AddressSanitizer every frame goes to the allocator, so that a use after free is seen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace scrollgate {

namespace frames {

constexpr std::size_t grain = 64;
constexpr std::size_t classes = 64;        ///< up to 4 KiB; larger frames are rare
constexpr std::size_t kept = 1024 * 1024;  ///< bytes of free frames per class and thread
#if defined(__SANITIZE_ADDRESS__)
constexpr bool recycles = false;
#else
constexpr bool recycles = true;
#endif

struct Node {
    Node* next;
};

/// Without a destructor, so that the thread's is reached without asking whether it was made:
/// make() sees to what is left at the thread's end.
struct Lists {
    std::array<Node*, classes> head{};
    std::array<std::uint32_t, classes> count{};
};
extern constinit thread_local Lists lists;

[[nodiscard]] constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size - 1) / grain;
}
/// How many free ones of a class are kept.
[[nodiscard]] constexpr std::size_t most(std::size_t index) noexcept {
    return kept / ((index + 1) * grain);
}
/// A new one from the allocator.
[[nodiscard]] void* make(std::size_t size);

}  // namespace frames

/// At least `size` bytes, aligned for any type. Throws std::bad_alloc.
[[nodiscard]] inline void* allocate_frame(std::size_t size) {
    const std::size_t index = frames::class_of(size);
    if (!frames::recycles || index >= frames::classes) return frames::make(size);
    frames::Node* const node = frames::lists.head[index];
    if (node == nullptr) [[unlikely]]
        return frames::make(size);
    frames::lists.head[index] = node->next;
    --frames::lists.count[index];
    return node;
}

/// Gives back what allocate_frame(size) returned on this thread.
inline void free_frame(void* frame, std::size_t size) noexcept {
    const std::size_t index = frames::class_of(size);
    if (!frames::recycles || index >= frames::classes ||
        frames::lists.count[index] >= frames::most(index))
        return ::operator delete(frame);
    frames::lists.head[index] = new (frame) frames::Node{frames::lists.head[index]};
    ++frames::lists.count[index];
}

}  // namespace scrollgate
