// Maglev's table with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2018).
//
// A key has an endless row of places: its hash, mixed again and again, looked up in the table. It
// goes to the first place that will have it: one that is eligible and untried, has no more than
// 1.25 times its share of the requests in flight, and whose score is above the key's own mark for
// it. So the table is made of weights that last (`base`) and stays when health changes: an endpoint
// with score 0.1 keeps the same tenth of its keys, the others go to where they would go if it were
// lost, and come back as it recovers. But no key stays with one that gives errors: of each key a
// tenth of the requests do.
#include <algorithm>
#include <optional>
#include <vector>

#include "balancer/hash.hpp"
#include "balancer/maglev.hpp"
#include "balancer/policy.hpp"

namespace scrollgate {
namespace {

class ConsistentHash final : public Policy {
  public:
    std::optional<std::size_t> pick(std::span<const Target> targets, std::span<const bool> tried,
                                    const PickRequest& request, Rng& rng) override;
    void changed(std::span<const Target> targets) override;
    void reweighed(std::span<const Target> targets) override;

  private:
    /// Reads a few targets' requests in flight anew. All of them at each pick would cost a cache
    /// line each; so the sum is exact for a few targets, and for a thousand 125 picks old.
    void look_on(std::span<const Target> targets) noexcept;
    [[nodiscard]] bool has_room(const Target& target) const noexcept;
    [[nodiscard]] bool well_for(std::uint64_t key, const Target& target, std::size_t i,
                                std::optional<double>& luck, Rng& rng) const noexcept {
        if (target.score >= best_score_) return true;
        double mark = unit_point(mix64(key ^ ids_[i]));
        if (target.endpoint->state->is_bad_home()) {
            // One draw for all places of the request, another part of it for each target.
            if (!luck) luck = unit_interval(rng);
            mark += *luck;
            if (mark >= 1) mark -= 1;
        }
        return mark * best_score_ < static_cast<double>(target.score);
    }

    MaglevTable table_;
    std::vector<std::uint64_t> ids_;   ///< by target
    std::vector<double> bases_;        ///< that the table was made of
    std::vector<std::uint32_t> seen_;  ///< by target: in flight when last looked at
    std::int64_t in_flight_ = 0;       ///< sum of seen_
    std::size_t next_look_ = 0;
    double total_weight_ = 0;
    float best_score_ = 1;
};

void ConsistentHash::look_on(std::span<const Target> targets) noexcept {
    constexpr std::size_t looks = 8;
    for (std::size_t look = std::min(looks, targets.size()); look > 0; --look) {
        const Target& target = targets[next_look_];
        const std::uint32_t now =
            target.weight > 0 ? target.endpoint->state->in_flight.load(std::memory_order_relaxed)
                              : 0;
        in_flight_ += std::int64_t{now} - seen_[next_look_];
        seen_[next_look_] = now;
        if (++next_look_ == targets.size()) next_look_ = 0;
    }
}

bool ConsistentHash::has_room(const Target& target) const noexcept {
    const std::uint32_t mine = target.endpoint->state->in_flight.load(std::memory_order_relaxed);
    if (mine < limits::load_free) return true;
    const double share = target.weight / total_weight_;
    return mine + 1.0 <= limits::load_bound * share * (static_cast<double>(in_flight_) + 1);
}

std::optional<std::size_t> ConsistentHash::pick(std::span<const Target> targets,
                                                std::span<const bool> tried,
                                                const PickRequest& request, Rng& rng) {
    if (total_weight_ <= 0) return std::nullopt;
    look_on(targets);
    const std::uint64_t key = mix64(request.hash != 0 ? request.hash : rng.next());
    std::optional<std::size_t> next_best;  // too full or not well enough, but there
    std::optional<double> luck;
    std::uint64_t place = key;
    for (unsigned probe = 0; probe < limits::hash_probes; ++probe) {
        const std::size_t i = table_.at(place);
        place = mix64(place);
        if (tried[i] || targets[i].weight <= 0) continue;
        if (has_room(targets[i]) && well_for(key, targets[i], i, luck, rng)) return i;
        if (!next_best) next_best = i;
    }
    if (next_best) return next_best;
    // Nearly all are out or tried.
    std::size_t i = place_in(key, targets.size());
    for (std::size_t step = 0; step < targets.size(); ++step) {
        if (!tried[i] && targets[i].weight > 0) return i;
        if (++i == targets.size()) i = 0;
    }
    return std::nullopt;
}

void ConsistentHash::changed(std::span<const Target> targets) {
    ids_.clear();
    for (const Target& target : targets) {
        ids_.push_back(hash_text(target.endpoint->text, hash_text(target.endpoint->pool)));
    }
    seen_.assign(targets.size(), 0);
    in_flight_ = 0;
    next_look_ = 0;
    bases_.clear();
    reweighed(targets);
}

void ConsistentHash::reweighed(std::span<const Target> targets) {
    total_weight_ = 0;
    best_score_ = 0;
    double total_base = 0;
    for (const Target& target : targets) {
        total_weight_ += target.weight;
        total_base += target.base;
        best_score_ = std::max(best_score_, target.score);
    }
    const auto same = [](const Target& target, double base) { return target.base == base; };
    if (total_base <= 0 || std::ranges::equal(targets, bases_, same)) return;
    bases_.clear();
    for (const Target& target : targets)
        bases_.push_back(target.base);
    table_.build(ids_, bases_);
}

}  // namespace

std::unique_ptr<Policy> make_consistent_hash() {
    return std::make_unique<ConsistentHash>();
}

}  // namespace scrollgate
