#include "core/frame_pool.hpp"

#include <array>
#include <cstdint>
#include <new>
#include <utility>

namespace scrollgate {

#if defined(__SANITIZE_ADDRESS__)

void* allocate_frame(std::size_t size) {
    return ::operator new(size);
}
void free_frame(void* frame, std::size_t) noexcept {
    ::operator delete(frame);
}

#else

namespace {

constexpr std::size_t grain = 64;
constexpr std::size_t classes = 64;        // up to 4 KiB; larger frames are rare
constexpr std::size_t kept = 1024 * 1024;  // bytes of free frames per class and thread

struct Node {
    Node* next;
};

struct Lists {
    std::array<Node*, classes> head{};
    std::array<std::uint32_t, classes> count{};

    ~Lists() {
        for (Node* node : head) {
            while (node != nullptr)
                ::operator delete(std::exchange(node, node->next));
        }
    }
};

thread_local Lists lists;

}  // namespace

void* allocate_frame(std::size_t size) {
    const std::size_t index = (size - 1) / grain;
    if (index >= classes) return ::operator new(size);
    if (Node* node = lists.head[index]; node != nullptr) {
        lists.head[index] = node->next;
        --lists.count[index];
        return node;
    }
    return ::operator new((index + 1) * grain);
}

void free_frame(void* frame, std::size_t size) noexcept {
    const std::size_t index = (size - 1) / grain;
    if (index >= classes || lists.count[index] * (index + 1) * grain >= kept)
        return ::operator delete(frame);
    lists.head[index] = new (frame) Node{lists.head[index]};
    ++lists.count[index];
}

#endif

}  // namespace scrollgate
