// Power of two choices (Mitzenmacher 2001) on peak-EWMA latency x (requests in flight + 1), as
// Finagle made it known: of two candidates the one where a request would be done sooner.
//
// The pair is drawn by two points on the wheel of weights. The first is uniform; the second lies a
// random distance behind it, at least the widest arc's width in both directions. So both points
// are uniform each, a target is a candidate in proportion to its weight exactly, and the two
// differ, unless one target has more than half of all weight. Two independent draws would often
// meet the same target among few; drawing again until they differ would give light targets, and
// that is sick ones, more than their weight.
#include <algorithm>
#include <utility>

#include "balancer/wheel.hpp"

namespace scrollgate {
namespace {

class Adaptive final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    const PickRequest& request, Rng& rng) override;
    void changed(std::span<const Target> targets) override { wheel_.assign(targets); }
    void reweighed(std::span<const Target> targets) override { wheel_.assign(targets); }

  private:
    [[nodiscard]] std::pair<std::size_t, std::size_t> pair(Rng& rng) const noexcept {
        const double first = unit_interval(rng);
        const double gap = std::min(wheel_.widest(), 0.5);
        double second = first + gap + unit_interval(rng) * (1 - 2 * gap);
        if (second >= 1) second -= 1;
        return {wheel_.at(first), wheel_.at(second)};
    }

    Wheel wheel_;
};

/// Whether `b` is to be preferred to `a`.
bool better(const Target& b, const Target& a, TimePoint now) noexcept {
    const EndpointState& left = *a.endpoint->state;
    const EndpointState& right = *b.endpoint->state;
    float left_latency = left.latency.value(now);
    float right_latency = right.latency.value(now);
    // Who has not answered yet counts as fast as the other candidate, so that requests in flight
    // decide: a new endpoint is asked at once, and no more than an equal would be while its first
    // answers are still out.
    if (left_latency <= 0) left_latency = right_latency > 0 ? right_latency : 1;
    if (right_latency <= 0) right_latency = left_latency;
    const auto busy = [](const EndpointState& state) {
        return static_cast<float>(state.in_flight.load(std::memory_order_relaxed)) + 1;
    };
    const float left_cost = left_latency * busy(left);
    const float right_cost = right_latency * busy(right);
    if (a.distance != b.distance) {
        const float difference =
            right_cost > left_cost ? right_cost - left_cost : left_cost - right_cost;
        const float tie = std::max(left_cost, right_cost) * static_cast<float>(limits::near_tie);
        if (difference <= tie) return b.distance < a.distance;
    }
    return right_cost < left_cost;
}

std::optional<std::size_t> Adaptive::pick(std::span<const Target> targets,
                                          std::span<const bool> tried, const PickRequest& request,
                                          Rng& rng) {
    if (wheel_.empty()) return std::nullopt;
    // Almost always the first pair is untried. Half a pair will do if none is.
    constexpr int draws = 4;
    std::optional<std::size_t> alone;
    for (int draw = 0; draw < draws; ++draw) {
        const auto [a, b] = pair(rng);
        if (!tried[a] && !tried[b]) {
            return better(targets[b], targets[a], request.now) ? b : a;
        }
        if (!tried[a]) alone = a;
        if (!tried[b]) alone = b;
    }
    return alone ? alone : draw_untried(targets, tried, rng);
}

}  // namespace

std::unique_ptr<Policy> make_adaptive() {
    return std::make_unique<Adaptive>();
}

}  // namespace scrollgate
