#include "core/frame_pool.hpp"

#include <utility>

namespace scrollgate::frames {
namespace {

struct Sweeper {
    ~Sweeper() {
        for (Node*& node : lists.head) {
            while (node != nullptr)
                ::operator delete(std::exchange(node, node->next));
        }
    }
};

}  // namespace

constinit thread_local Lists lists;

void* make(std::size_t size) {
    if constexpr (!recycles) return ::operator new(size);
    static thread_local Sweeper sweeper;  // each list begins with a frame made here
    const std::size_t index = class_of(size);
    return ::operator new(index < classes ? (index + 1) * grain : size);
}

}  // namespace scrollgate::frames
