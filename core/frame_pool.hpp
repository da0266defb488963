// Memory for coroutine frames: free lists per size class and thread.
//
// A request starts a handful of coroutines of the same few sizes; recycling their frames costs a
// few instructions. Frames stay on the thread that made them (structured coroutines never migrate).
// Each list is bounded; under AddressSanitizer every frame goes to the allocator, so that a use
// after free is seen.
#pragma once

#include <cstddef>

namespace scrollgate {

/// At least `size` bytes, aligned for any type. Throws std::bad_alloc.
[[nodiscard]] void* allocate_frame(std::size_t size);
/// Gives back what allocate_frame(size) returned on this thread.
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace scrollgate
