// Counts what this thread allocates, in all of the cache's unit tests.
#pragma once

#include <cstddef>

namespace scrollgate::test {

/// Calls of operator new on this thread so far.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace scrollgate::test
