// A random point on the wheel of weights falls to one of the targets.
#include "balancer/wheel.hpp"

namespace scrollgate {
namespace {

class Random final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    const PickRequest&, Rng& rng) override {
        if (wheel_.empty()) return std::nullopt;
        // Almost always the first draw is an untried one; drawing again keeps the proportions.
        constexpr int draws = 4;
        for (int draw = 0; draw < draws; ++draw) {
            const std::size_t i = wheel_.at(unit_interval(rng));
            if (!tried[i]) return i;
        }
        return draw_untried(targets, tried, rng);
    }
    void changed(std::span<const Target> targets) override { wheel_.assign(targets); }
    void reweighed(std::span<const Target> targets) override { wheel_.assign(targets); }

  private:
    Wheel wheel_;
};

}  // namespace

std::unique_ptr<Policy> make_random() {
    return std::make_unique<Random>();
}

}  // namespace scrollgate
