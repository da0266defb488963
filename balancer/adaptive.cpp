// Where would a request be done soonest: the lowest peak-EWMA latency x (requests in flight + 1) of
// some candidates, as Finagle made it known.
//
// Few targets are all looked at: each is a candidate with the probability of its weight against the
// heaviest one's. Of many, the candidates are four drawn by weight, because looking at a thousand
// costs two thousand cache lines that other workers keep writing. Two would do among equals
// (Mitzenmacher 2001), but not among unequals: a third of the targets that has two thirds of the
// capacity is in 56 % of all pairs, and can get no more. See docs/decisions/0013-balancing.md.
//
// Either way a target's weight bounds its share, whatever its latency: one with score 0.1 is a
// candidate in a tenth of the cases.
#include <algorithm>
#include <array>

#include "balancer/wheel.hpp"

namespace scrollgate {
namespace {

/// A target as it is at this pick; read once, because other workers change it.
struct Candidate {
    std::size_t target = 0;
    std::uint8_t distance = 0;
    float latency = 0;  ///< microseconds; 0: unknown
    float cost = 0;
    bool fresh = false;  ///< nobody has asked it yet
};

class Candidates {
  public:
    void add(std::span<const Target> targets, std::size_t i, TimePoint now) noexcept {
        const EndpointState& state = *targets[i].endpoint->state;
        constexpr auto relaxed = std::memory_order_relaxed;
        const std::uint32_t out = state.in_flight.load(relaxed);
        const float busy = static_cast<float>(out) + 1;
        const float latency = state.latency.value(now, out);
        const bool fresh = latency <= 0 && out == 0 && state.requests.load(relaxed) == 0;
        all_[count_++] = {i, targets[i].distance, latency, busy, fresh};
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t best(Rng& rng) noexcept;

  private:
    std::array<Candidate, limits::full_scan> all_;
    std::size_t count_ = 0;
};

/// What latencies differ by without meaning anything: the scheduler's doing, not the endpoint's.
constexpr float grain = std::chrono::duration<float, std::micro>(limits::latency_grain).count();

/// The lowest cost; of those that are about as low, the nearest, and one of several by chance: else
/// all requests of a quiet route would go to whoever was a little quicker the last time.
std::size_t Candidates::best(Rng& rng) noexcept {
    const std::span all(all_.data(), count_);
    // Who has not answered yet counts as fast as the fastest candidate, so that requests in flight
    // decide: a new endpoint is asked no more than an equal would be while its first answers are
    // still out. And it is asked at once, though others are nearer.
    float fastest = 0;
    for (const Candidate& one : all) {
        if (one.latency > 0 && (fastest <= 0 || one.latency < fastest)) fastest = one.latency;
    }
    if (fastest <= 0) fastest = 1;
    float lowest = 0;
    for (Candidate& one : all) {
        one.cost *= (one.latency > 0 ? one.latency : fastest) + grain;
        if (one.fresh) one.cost /= 2;
        if (lowest <= 0 || one.cost < lowest) lowest = one.cost;
    }
    const float about = lowest * static_cast<float>(1 + limits::near_tie);
    const Candidate* chosen = nullptr;
    std::uint64_t equals = 1;
    for (const Candidate& one : all) {
        if (one.cost > about) continue;
        if (chosen == nullptr || one.distance < chosen->distance) {
            chosen = &one;
            equals = 1;
        } else if (one.distance == chosen->distance && rng.below(++equals) == 0) {
            chosen = &one;
        }
    }
    return chosen->target;
}

class Adaptive final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    const PickRequest& request, Rng& rng) override;
    void changed(std::span<const Target> targets) override { wheel_.assign(targets); }
    void reweighed(std::span<const Target> targets) override { wheel_.assign(targets); }

  private:
    Wheel wheel_;
};

std::optional<std::size_t> Adaptive::pick(std::span<const Target> targets,
                                          std::span<const bool> tried, const PickRequest& request,
                                          Rng& rng) {
    if (wheel_.empty()) return std::nullopt;
    Candidates candidates;
    if (targets.size() <= limits::full_scan) {
        double heaviest = 0;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (!tried[i]) heaviest = std::max(heaviest, targets[i].weight);
        }
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const double weight = targets[i].weight;
            if (tried[i] || weight <= 0) continue;
            if (weight < heaviest && unit_interval(rng) * heaviest >= weight) continue;
            candidates.add(targets, i, request.now);
        }
    } else {
        constexpr int draws = 4;
        for (int draw = 0; draw < draws; ++draw) {
            const std::size_t i = wheel_.at(unit_interval(rng));
            if (!tried[i]) candidates.add(targets, i, request.now);
        }
    }
    if (candidates.empty()) return draw_untried(targets, tried, rng);
    return candidates.best(rng);
}

}  // namespace

std::unique_ptr<Policy> make_adaptive() {
    return std::make_unique<Adaptive>();
}

}  // namespace scrollgate
