// The target with the fewest requests in flight for its weight, as all workers see it.
//
// Few targets are all looked at. Of many, the best of four that are drawn by weight: looking at a
// thousand endpoints costs a thousand cache lines that other workers keep writing, and the best of
// a few random ones is nearly as good (Mitzenmacher 2001; drawn by weight and compared per weight,
// Berenbrink et al. 2014).
#include <limits>
#include <vector>

#include "balancer/wheel.hpp"

namespace scrollgate {
namespace {

double load_of(const Target& target) noexcept {
    return target.endpoint->state->in_flight.load(std::memory_order_relaxed) / target.weight;
}

class LeastRequests final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    const PickRequest&, Rng& rng) override {
        if (wheel_.empty()) return std::nullopt;
        return targets.size() <= limits::full_scan ? of_all(targets, tried, rng)
                                                   : of_some(targets, tried, rng);
    }
    void changed(std::span<const Target> targets) override {
        loads_.assign(targets.size(), 0);
        wheel_.assign(targets);
    }
    void reweighed(std::span<const Target> targets) override { wheel_.assign(targets); }

  private:
    std::optional<std::size_t> of_all(std::span<const Target> targets, std::span<const bool> tried,
                                      Rng& rng);
    std::optional<std::size_t> of_some(std::span<const Target> targets, std::span<const bool> tried,
                                       Rng& rng);

    Wheel wheel_;
    /// By target: in flight per weight, read once per pick, because other workers change it.
    std::vector<double> loads_;
};

std::optional<std::size_t> LeastRequests::of_all(std::span<const Target> targets,
                                                 std::span<const bool> tried, Rng& rng) {
    double least = std::numeric_limits<double>::infinity();
    double least_weight = 0;  // of all targets with that load together
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i] || targets[i].weight <= 0) continue;
        loads_[i] = load_of(targets[i]);
        if (loads_[i] < least) {
            least = loads_[i];
            least_weight = 0;
        }
        if (loads_[i] == least) least_weight += targets[i].weight;
    }

    double left = unit_interval(rng) * least_weight;
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (tried[i] || targets[i].weight <= 0 || loads_[i] != least) continue;
        chosen = i;  // the last one also takes what rounding leaves over
        left -= targets[i].weight;
        if (left < 0) break;
    }
    return chosen;
}

std::optional<std::size_t> LeastRequests::of_some(std::span<const Target> targets,
                                                  std::span<const bool> tried, Rng& rng) {
    constexpr int draws = 4;
    double least = std::numeric_limits<double>::infinity();
    std::optional<std::size_t> chosen;
    for (int draw = 0; draw < draws; ++draw) {
        const std::size_t i = wheel_.at(unit_interval(rng));
        if (tried[i]) continue;
        const double load = load_of(targets[i]);
        if (load >= least) continue;
        least = load;
        chosen = i;
    }
    return chosen ? chosen : draw_untried(targets, tried, rng);
}

}  // namespace

std::unique_ptr<Policy> make_least_requests() {
    return std::make_unique<LeastRequests>();
}

}  // namespace scrollgate
