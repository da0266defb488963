// Looking for requests on a victim.
#pragma once

#include <cstdint>
#include <thread>

#include "core/clock.hpp"

namespace scrollgate::bench {

/// Calls count() again and again for up to a second, until it finds something.
template <class Count>
[[nodiscard]] std::uint64_t look_for_requests(Count&& count) {
    const Clock& clock = system_clock();
    const TimePoint end = clock.now() + std::chrono::seconds(1);
    while (true) {
        const std::uint64_t found = count();
        if (found > 0 || clock.now() > end) return found;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace scrollgate::bench
