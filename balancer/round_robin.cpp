// Smooth weighted round robin (the scheme nginx made known): every target earns its weight per
// pick, the one with the largest balance is picked and pays the sum of all weights. Balances stay
// above minus that sum and are multiples of it after a cycle, so that counts are exact then.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "balancer/policy.hpp"

namespace scrollgate {
namespace {

class RoundRobin final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    Rng& rng) override;
    void changed(std::span<const Target> targets) override;

  private:
    std::vector<double> balances_;  ///< by target
    /// By target; held, so that no other state can come to live at the same place.
    std::vector<std::shared_ptr<EndpointState>> identities_;
};

std::optional<std::size_t> RoundRobin::pick(std::span<const Target> targets,
                                            std::span<const bool> tried, Rng&) {
    std::optional<std::size_t> best;
    double total = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i]) continue;
        total += targets[i].weight;
        balances_[i] += targets[i].weight;
        if (!best || balances_[i] > balances_[*best]) best = i;
    }
    if (best) balances_[*best] -= total;
    return best;
}

void RoundRobin::changed(std::span<const Target> targets) {
    std::map<const EndpointState*, double> known;
    for (std::size_t i = 0; i < identities_.size(); ++i) {
        known.emplace(identities_[i].get(), balances_[i]);
    }
    double total = 0;
    for (const Target& target : targets)
        total += target.weight;

    std::vector<std::shared_ptr<EndpointState>> identities;
    balances_.clear();
    for (const Target& target : targets) {
        const auto old = known.find(target.endpoint->state.get());
        // A balance from a row with other weights must not outweigh this one for many cycles.
        balances_.push_back(old == known.end() ? 0 : std::clamp(old->second, -total, total));
        identities.push_back(target.endpoint->state);
    }
    identities_ = std::move(identities);
}

}  // namespace

std::unique_ptr<Policy> make_round_robin() {
    return std::make_unique<RoundRobin>();
}

}  // namespace scrollgate
