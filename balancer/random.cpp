// The sums of weights up to each target are a scale; a random point on it falls to one of them.
#include <algorithm>
#include <vector>

#include "balancer/policy.hpp"

namespace scrollgate {
namespace {

class Random final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    Rng& rng) override;
    void changed(std::span<const Target> targets) override;

  private:
    std::vector<double> sums_;  ///< of the weights of targets 0..i
};

std::optional<std::size_t> Random::pick(std::span<const Target> targets,
                                        std::span<const bool> tried, Rng& rng) {
    if (targets.empty()) return std::nullopt;
    // Almost always the first draw is an untried one; drawing again keeps the proportions.
    constexpr int draws = 4;
    for (int draw = 0; draw < draws; ++draw) {
        const double point = unit_interval(rng) * sums_.back();
        const auto at = std::upper_bound(sums_.begin(), sums_.end() - 1, point);
        const auto i = static_cast<std::size_t>(at - sums_.begin());
        if (!tried[i]) return i;
    }

    double total = 0;
    for (std::size_t i = 0; i < targets.size(); ++i)
        total += tried[i] ? 0 : targets[i].weight;
    double left = unit_interval(rng) * total;
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i]) continue;
        chosen = i;  // the last one also takes what rounding leaves over
        left -= targets[i].weight;
        if (left < 0) break;
    }
    return chosen;
}

void Random::changed(std::span<const Target> targets) {
    sums_.clear();
    double sum = 0;
    for (const Target& target : targets)
        sums_.push_back(sum += target.weight);
}

}  // namespace

std::unique_ptr<Policy> make_random() {
    return std::make_unique<Random>();
}

}  // namespace scrollgate
