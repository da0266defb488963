// The target with the fewest requests in flight for its weight, as all workers see it.
#include <limits>
#include <vector>

#include "balancer/policy.hpp"

namespace scrollgate {
namespace {

class LeastRequests final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    Rng& rng) override;
    void changed(std::span<const Target> targets) override { loads_.assign(targets.size(), 0); }

  private:
    /// By target: in flight per weight, read once per pick, because other workers change it.
    std::vector<double> loads_;
};

std::optional<std::size_t> LeastRequests::pick(std::span<const Target> targets,
                                               std::span<const bool> tried, Rng& rng) {
    double least = std::numeric_limits<double>::infinity();
    double least_weight = 0;  // of all targets with that load together
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i]) continue;
        const auto& in_flight = targets[i].endpoint->state->in_flight;
        loads_[i] = in_flight.load(std::memory_order_relaxed) / targets[i].weight;
        if (loads_[i] < least) {
            least = loads_[i];
            least_weight = 0;
        }
        if (loads_[i] == least) least_weight += targets[i].weight;
    }

    double left = unit_interval(rng) * least_weight;
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i] || loads_[i] != least) continue;
        chosen = i;  // the last one also takes what rounding leaves over
        left -= targets[i].weight;
        if (left < 0) break;
    }
    return chosen;
}

}  // namespace

std::unique_ptr<Policy> make_least_requests() {
    return std::make_unique<LeastRequests>();
}

}  // namespace scrollgate
