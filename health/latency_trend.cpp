#include "health/latency_trend.hpp"

#include <algorithm>
#include <cmath>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

/// From here on usual_ stands still.
constexpr double holds = 2;
/// Answers that recent_ is the mean of.
constexpr double recent_samples = 10;

}  // namespace

void LatencyTrend::add(std::uint64_t count, double mean_log, Duration passed,
                       bool like_peers) noexcept {
    if (count == 0) {
        const double heal = 1 - std::exp(-seconds_of(passed) / seconds_of(limits::latency_heals));
        recent_ += (usual_ - recent_) * heal;
        return;
    }
    const auto fresh = static_cast<double>(count);
    if (samples_ == 0) recent_ = usual_ = mean_log;
    recent_ += (mean_log - recent_) * (1 - std::exp(-fresh / recent_samples));
    samples_ += fresh;
    if (samples_ <= limits::baseline_samples) {
        usual_ += (mean_log - usual_) * fresh / samples_;
        return;
    }
    const bool slow = against_usual() > holds;
    slow_for_ = slow ? slow_for_ + passed : Duration::zero();
    if (slow && !(like_peers && slow_for_ >= limits::baseline_stands)) return;
    // Silence between two answers tells nothing about how long they take.
    const Duration step = std::min<Duration>(passed, std::chrono::seconds(1));
    age_ = std::min<Duration>(age_ + step, limits::baseline_memory);
    usual_ += (recent_ - usual_) * std::min(1.0, seconds_of(step) / (seconds_of(age_) + 1));
}

bool LatencyTrend::known() const noexcept {
    return samples_ >= limits::baseline_samples;
}

double LatencyTrend::recent() const noexcept {
    return samples_ == 0 ? 0 : std::exp(recent_);
}

double LatencyTrend::usual() const noexcept {
    return samples_ == 0 ? 0 : std::exp(usual_);
}

double LatencyTrend::against_usual() const noexcept {
    return known() ? times_slower(recent(), usual()) : 1;
}

double times_slower(double a, double b) noexcept {
    constexpr double pad = static_cast<double>(Duration(limits::latency_pad).count()) * 1e-3;
    return (a + pad) / (b + pad);
}

double latency_part(double own, double peers) noexcept {
    const double worst = std::max(own / limits::slow_own, peers / limits::slow_peers);
    return worst <= 1 ? 1 : std::max(limits::part_floor, 1 / (worst * worst));
}

}  // namespace scrollgate
