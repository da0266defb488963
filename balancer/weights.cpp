#include "balancer/weights.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

Standing standing_of(const Target& target) noexcept {
    return target.endpoint->state->standing.load(std::memory_order_relaxed);
}

float score_of(const Target& target, Standing standing, bool panic) noexcept {
    if (panic) return standing == Standing::in || out_by_verdict(standing) ? 1.0F : 0.0F;
    if (standing != Standing::in) return 0;
    const float score = target.endpoint->state->score.load(std::memory_order_relaxed);
    return std::clamp(score, static_cast<float>(limits::least_score), 1.0F);
}

/// Leaves the pool's whole weight to the first `size` of `members` that are well. Those that come
/// back, or do badly, take nobody's place: they have their small part beside the others, up to as
/// many again.
void keep_subset(std::span<Target> row, std::span<const std::uint32_t> members, std::size_t size) {
    double all = 0;
    double kept = 0;
    std::size_t used = 0;
    std::size_t well = 0;
    std::size_t in_service = 0;
    for (const std::uint32_t i : members) {
        Target& target = row[i];
        all += target.weight;
        const bool own = target.base > 0 && in_service++ < size;
        if (target.weight > 0 && well < size && used < 2 * size) {
            ++used;
            if (target.score >= 0.5F) ++well;
            kept += target.weight;
            continue;
        }
        target.weight = 0;
        target.score = 0;
        // One of this node's that is out keeps its place in tables; the others have none.
        if (!own) target.base = 0;
    }
    for (const std::uint32_t i : members) {
        if (row[i].weight > 0) row[i].weight *= all / kept;
    }
}

}  // namespace

void weigh(std::span<Target> row, const RouteTargets& targets, const RouteLayout& layout,
           bool panic, std::vector<GroupHealth>& groups) {
    groups.assign(layout.groups().size(), {});
    for (std::size_t p = 0; p < layout.pools().size(); ++p) {
        const RouteLayout::Pool& pool = layout.pools()[p];
        const std::span<const std::uint32_t> members = targets.pool(p);
        double sum = 0;
        for (const std::uint32_t i : members) {
            // A verdict may change between two looks; base keeps what the first one saw.
            Target& target = row[i];
            const bool in_service = standing_of(target) != Standing::standby;
            target.base = in_service ? target.endpoint->weight : 0;
            sum += target.base;
        }
        for (const std::uint32_t i : members) {
            Target& target = row[i];
            target.base = target.base > 0 ? pool.weight * target.base / sum : 0;
            target.score = target.base > 0 ? score_of(target, standing_of(target), panic) : 0;
            target.weight = target.base * static_cast<double>(target.score);
            GroupHealth& group = groups[targets.group_of(i)];
            group.whole += target.base;
            group.well += target.weight;
        }
        if (pool.subset > 0) keep_subset(row, members, pool.subset);
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i].weight > 0) groups[targets.group_of(i)].live = true;
    }
}

double availability(const RouteLayout& layout, std::size_t level,
                    std::span<const GroupHealth> groups) noexcept {
    double shares = 0;
    double well = 0;
    bool live = false;
    const RouteLayout::Level& of = layout.levels()[level];
    for (std::size_t g = of.begin; g < of.end; ++g) {
        if (groups[g].whole <= 0) continue;
        live = live || groups[g].live;
        // A group without a share of its own still stands in for the others.
        const double share = std::max(layout.groups()[g].share, limits::least_score);
        shares += share;
        well += share * groups[g].well / groups[g].whole;
    }
    return live ? std::min(1.0, limits::spill_factor * well / shares) : 0;
}

void spill(std::span<double> levels) noexcept {
    double left = 1;
    for (double& level : levels) {
        level = std::min(level, left);
        left -= level;
    }
    if (left <= 0 || left >= 1) return;
    for (double& level : levels)
        level /= 1 - left;
}

}  // namespace scrollgate
