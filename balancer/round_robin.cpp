// Weighted round robin by earliest deadline first: exact, smooth, and O(log targets) per pick.
//
// Time is counted in picks. A target with share s of the weights is due every 1/s picks, its first
// turn at a phase within the first such span; the earliest is picked. Whatever the phases in
// (0, 1] are, a target has exactly s x t turns in a time t that makes this a whole number, so after
// a cycle all counts are exact. Phases are spread by the golden ratio, so that targets of equal
// weight do not take their turns in a bunch.
#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "balancer/policy.hpp"

namespace scrollgate {
namespace {

class RoundRobin final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    const PickRequest&, Rng&) override;
    void changed(std::span<const Target> targets) override;
    void reweighed(std::span<const Target> targets) override;

  private:
    struct Turn {
        double due;
        std::uint32_t target;
        /// As the heap wants it: whose turn comes later.
        bool operator<(const Turn& other) const noexcept {
            return due != other.due ? due > other.due : target > other.target;
        }
    };

    void keep_phases();
    void sink_first() noexcept;
    void start_anew() noexcept;

    std::vector<Turn> heap_;         ///< of all targets with a weight; the earliest is first
    std::vector<Turn> passed_over_;  ///< in a pick: those that were tried
    std::vector<double> spans_;      ///< by target: picks from one turn to the next
    std::vector<double> phases_;     ///< by target: part of its span until its turn
    double now_ = 0;
    /// By target; held, so that no other state can come to live at the same place.
    std::vector<std::shared_ptr<EndpointState>> identities_;
};

std::optional<std::size_t> RoundRobin::pick(std::span<const Target>, std::span<const bool> tried,
                                            const PickRequest&, Rng&) {
    passed_over_.clear();
    while (!heap_.empty() && tried[heap_.front().target]) {
        passed_over_.push_back(heap_.front());
        std::pop_heap(heap_.begin(), heap_.end());
        heap_.pop_back();
    }
    std::optional<std::size_t> chosen;
    if (!heap_.empty()) {
        Turn& first = heap_.front();
        chosen = first.target;
        now_ = std::max(now_, first.due);
        // Who was passed over catches up by one turn, not by all that it missed.
        first.due = std::max(first.due + spans_[first.target], now_);
        sink_first();
    }
    for (const Turn& turn : passed_over_) {
        heap_.push_back(turn);
        std::push_heap(heap_.begin(), heap_.end());
    }
    constexpr double exact_until = 0x1p24;  // later, sums of spans would lose digits
    if (now_ > exact_until) start_anew();
    return chosen;
}

/// Puts the first one, whose turn has been moved, where it belongs.
void RoundRobin::sink_first() noexcept {
    const Turn moved = heap_.front();
    const std::size_t count = heap_.size();
    std::size_t at = 0;
    for (std::size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && heap_[child] < heap_[child + 1]) ++child;
        if (!(moved < heap_[child])) break;
        heap_[at] = heap_[child];
        at = child;
    }
    heap_[at] = moved;
}

void RoundRobin::start_anew() noexcept {
    for (Turn& turn : heap_)
        turn.due -= now_;
    now_ = 0;
}

void RoundRobin::keep_phases() {
    for (const Turn& turn : heap_) {
        phases_[turn.target] = std::clamp((turn.due - now_) / spans_[turn.target], 0.0, 1.0);
    }
}

void RoundRobin::changed(std::span<const Target> targets) {
    keep_phases();
    std::unordered_map<const EndpointState*, double> known;
    for (std::size_t i = 0; i < identities_.size(); ++i) {
        known.emplace(identities_[i].get(), phases_[i]);
    }
    std::vector<std::shared_ptr<EndpointState>> identities;
    identities.reserve(targets.size());
    phases_.clear();
    constexpr double golden = 0.6180339887498949;
    double fresh = 0.5;
    for (const Target& target : targets) {
        const auto old = known.find(target.endpoint->state.get());
        phases_.push_back(old == known.end() ? fresh : old->second);
        fresh += golden;
        if (fresh >= 1) fresh -= 1;
        identities.push_back(target.endpoint->state);
    }
    identities_ = std::move(identities);
    heap_.clear();
    heap_.reserve(targets.size());
    passed_over_.reserve(targets.size());
    spans_.resize(targets.size());
    reweighed(targets);
}

void RoundRobin::reweighed(std::span<const Target> targets) {
    keep_phases();
    double total = 0;
    for (const Target& target : targets)
        total += target.weight;
    now_ = 0;
    heap_.clear();
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].weight <= 0) continue;
        spans_[i] = total / targets[i].weight;
        heap_.push_back({phases_[i] * spans_[i], static_cast<std::uint32_t>(i)});
    }
    std::make_heap(heap_.begin(), heap_.end());
}

}  // namespace

std::unique_ptr<Policy> make_round_robin() {
    return std::make_unique<RoundRobin>();
}

}  // namespace scrollgate
