#include "balancer/latency.hpp"

#include <algorithm>
#include <cmath>

namespace scrollgate {

// Values below `steps` microseconds have a slot each; above, the top bit chooses the doubling and
// the next three bits the step within it.
std::size_t LatencyWindow::slot(Duration took) noexcept {
    const std::int64_t raw = took.count() / 1000;
    const std::uint64_t us = raw > 0 ? static_cast<std::uint64_t>(raw) : 0;
    if (us < steps) return us;
    const unsigned top = static_cast<unsigned>(std::bit_width(us)) - 1;
    const std::size_t step = (us >> (top - 3)) & (steps - 1);
    return std::min((top - 2) * std::size_t{steps} + step, slots - 1);
}

Duration LatencyWindow::upper_edge(std::size_t slot) noexcept {
    if (slot < steps) return std::chrono::microseconds(slot + 1);
    const std::size_t top = slot / steps + 2;
    const std::uint64_t step = slot % steps;
    return std::chrono::microseconds((steps + step + 1) << (top - 3));
}

std::uint64_t LatencyWindow::Half::sum() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& one : counts)
        sum += one.load(std::memory_order_relaxed);
    return sum;
}

std::uint64_t LatencyWindow::count() const noexcept {
    return halves_[0].sum() + halves_[1].sum();
}

std::uint64_t LatencyWindow::fresh() const noexcept {
    return halves_[current_.load(std::memory_order_relaxed)].sum();
}

LatencyWindow::LogSum LatencyWindow::log_sum() const noexcept {
    static const std::array<double, slots> logs = [] {
        std::array<double, slots> made{};
        for (std::size_t i = 0; i < slots; ++i)
            made[i] = std::log(static_cast<double>(upper_edge(i).count()) * 1e-3);
        return made;
    }();
    LogSum sum;
    for (const Half& half : halves_) {
        for (std::size_t i = 0; i < slots; ++i) {
            const std::uint32_t one = half.counts[i].load(std::memory_order_relaxed);
            if (one == 0) continue;
            sum.count += one;
            sum.logs += one * logs[i];
        }
    }
    return sum;
}

Duration LatencyWindow::quantile(double q) const noexcept {
    std::array<std::uint64_t, slots> sums{};
    std::uint64_t total = 0;
    for (const Half& half : halves_) {
        for (std::size_t i = 0; i < slots; ++i) {
            const std::uint32_t one = half.counts[i].load(std::memory_order_relaxed);
            sums[i] += one;
            total += one;
        }
    }
    if (total == 0) return Duration::zero();
    const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total)));
    std::uint64_t passed = 0;
    for (std::size_t i = 0; i < slots; ++i) {
        passed += sums[i];
        if (passed >= std::max<std::uint64_t>(rank, 1)) return upper_edge(i);
    }
    return upper_edge(slots - 1);
}

}  // namespace scrollgate
