// What the system grants this process: cores and descriptors.
#pragma once

#include <cstdint>

namespace scrollgate {

/// Cores that this process may run on (sched_getaffinity(2)), at least 1. Any thread.
[[nodiscard]] unsigned usable_cores() noexcept;

/// Raises the soft limit of open descriptors (RLIMIT_NOFILE) to the hard one; the limit that is
/// then in force. Never fails: where nothing can be raised, what was there stays. Once, before
/// descriptors are counted on.
std::uint64_t raise_descriptor_limit() noexcept;

}  // namespace scrollgate
