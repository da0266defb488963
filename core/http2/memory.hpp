// The memory of nghttp2: from the thread's free lists, because a stream costs it about ten blocks.
// Seen only inside core/http2.
#pragma once

#include <nghttp2/nghttp2.h>

namespace scrollgate::http2 {

/// An allocator for sessions that live and die on one thread. Each block is given back on the
/// thread that took it. Never null.
[[nodiscard]] nghttp2_mem* pooled_memory() noexcept;

}  // namespace scrollgate::http2
