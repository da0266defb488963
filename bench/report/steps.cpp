#include "bench/report/steps.hpp"

#include <algorithm>

#include "bench/report/summary.hpp"

namespace scrollgate::bench {

std::vector<StepResult> steps_of(const Report& report) {
    std::vector<StepResult> steps;
    Duration at{};
    for (const Arrivals::Step& step : report.ramp) {
        if (at >= report.elapsed) break;
        StepResult& result = steps.emplace_back();
        result.wanted = step.rate;
        result.at = at;
        result.length = std::min(step.length, report.elapsed - at);
        at += step.length;
    }
    if (steps.empty()) return steps;
    std::vector<Duration> covered(steps.size());
    for (const Slice& slice : report.timeline.slices()) {
        const Duration start = report.timeline.width() * static_cast<std::int64_t>(slice.index);
        const Duration length = covered_by(report, slice.index);
        const std::size_t i =
            std::min(Arrivals::step_at(report.ramp, start + length / 2), steps.size() - 1);
        covered[i] += length;
        steps[i].failed += slice.failed;
        steps[i].latency.add(slice.latency);
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const double seconds = seconds_of(covered[i]);
        if (seconds > 0)
            steps[i].achieved = static_cast<double>(steps[i].latency.count()) / seconds;
    }
    std::size_t i = 0;
    std::erase_if(steps, [&](const StepResult&) { return covered[i++] == Duration::zero(); });
    return steps;
}

}  // namespace scrollgate::bench
