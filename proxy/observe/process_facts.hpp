// What the kernel says about this process. Control thread; reads a few files under /proc.
#pragma once

#include <cstdint>

namespace scrollgate {

struct ProcessFacts {
    double cpu_seconds = 0;         ///< user and system
    double start_time_seconds = 0;  ///< since the epoch
    std::uint64_t resident_bytes = 0, virtual_bytes = 0;
    std::uint64_t open_descriptors = 0, max_descriptors = 0;
};

/// What cannot be read stays 0. Counting descriptors is linear in their number.
[[nodiscard]] ProcessFacts read_process_facts();

}  // namespace scrollgate
