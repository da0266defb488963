// The steps of a ramp, each with what came during it: where the knee is. Stateless, any thread.
#pragma once

#include <vector>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

struct StepResult {
    double wanted = 0, achieved = 0;  ///< per second
    Duration at{}, length{};          ///< from the start of the run; as far as it went
    std::uint64_t failed = 0;
    Histogram latency{2};
};

/// Those that were begun, in their order. A slice of the timeline belongs to the step of its
/// middle; steps without a slice are left out. Empty if the run was no ramp.
[[nodiscard]] std::vector<StepResult> steps_of(const Report& report);

}  // namespace scrollgate::bench
