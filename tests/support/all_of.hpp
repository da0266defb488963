// A pool without a free buffer.
#pragma once

#include <utility>
#include <vector>

#include "core/buffer_pool.hpp"

namespace scrollgate::test {

/// All buffers that are free.
[[nodiscard]] inline std::vector<BufferLease> all_of(BufferPool& pool) {
    std::vector<BufferLease> all;
    while (BufferLease one = pool.lease())
        all.push_back(std::move(one));
    return all;
}

}  // namespace scrollgate::test
