#include "balancer/targets.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "balancer/hash.hpp"
#include "balancer/nearness.hpp"

namespace scrollgate {

using Nearness = config::Route::Nearness;

RouteLayout::RouteLayout(const config::Route& route, config::Self self,
                         std::span<const config::Pool> pools)
    : self_(std::move(self)), nearness_(route.nearness) {
    std::set<std::uint32_t> priorities;
    for (const config::RoutePool& of : route.pools) {
        const auto known = std::ranges::find(pools, of.name, &config::Pool::name);
        const std::uint32_t subset = known == pools.end() ? 0 : known->subset;
        pools_.push_back({of.name, static_cast<double>(of.weight), subset});
        priorities.insert(of.priority);
    }
    for (const std::uint32_t priority : priorities)
        add_priority(route, priority);
}

std::size_t RouteLayout::add_group(double share) {
    groups_.push_back({levels_.size() - 1, share});
    levels_.back().end = groups_.size();
    return groups_.size() - 1;
}

void RouteLayout::add_priority(const config::Route& route, std::uint32_t priority) {
    std::vector<std::size_t> rest;
    double left = 1;
    levels_.push_back({groups_.size(), groups_.size()});
    for (std::size_t i = 0; i < route.pools.size(); ++i) {
        const config::RoutePool& pool = route.pools[i];
        if (pool.priority != priority) continue;
        if (!pool.split) {
            rest.push_back(i);
            continue;
        }
        pools_[i].first_group = add_group(*pool.split);
        left -= *pool.split;
    }
    if (rest.empty()) return;
    const bool by_distance = left == 1 && nearness_ == Nearness::strict;
    const std::size_t first = add_group(std::max(left, 0.0));
    for (const std::size_t i : rest) {
        pools_[i].first_group = first;
        pools_[i].by_distance = by_distance;
    }
    for (std::uint8_t step = 0; by_distance && step < farthest; ++step) {
        levels_.push_back({groups_.size(), groups_.size()});
        add_group(1);
    }
}

RouteTargets::RouteTargets(const RouteLayout& layout, const PoolSets& sets)
    : groups_(layout.groups().size()), pools_(layout.pools().size()) {
    struct Place {
        std::size_t group, pool;
        Target target;
    };
    std::vector<Place> places;
    for (std::size_t i = 0; i < layout.pools().size(); ++i) {
        const RouteLayout::Pool& pool = layout.pools()[i];
        const auto set = sets.find(pool.name);
        if (set == sets.end() || set->second == nullptr) continue;
        held_.push_back(set->second);
        for (const auto& endpoint : *set->second) {
            const std::uint8_t far = distance(layout.self(), *endpoint);
            Target target{.endpoint = endpoint.get(), .weight = 0, .base = 0, .score = 0};
            if (layout.nearness() != Nearness::off) target.distance = far;
            places.push_back({pool.first_group + (pool.by_distance ? far : 0), i, target});
        }
    }
    std::ranges::stable_sort(places, {}, &Place::group);
    for (const Place& place : places) {
        Span& group = groups_[place.group];
        if (group.end == 0) group.begin = row_.size();
        pools_[place.pool].push_back(static_cast<std::uint32_t>(row_.size()));
        group_of_.push_back(static_cast<std::uint32_t>(place.group));
        pool_of_.push_back(static_cast<std::uint32_t>(place.pool));
        row_.push_back(place.target);
        group.end = row_.size();
    }
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        if (layout.pools()[i].subset > 0) rank(layout, i);
    }
    for (const Target& target : row_)
        tags_.emplace_back(target.endpoint->state->tag, target.endpoint);
    std::ranges::sort(tags_, {}, &std::pair<std::uint64_t, const Endpoint*>::first);
}

const Endpoint* RouteTargets::tagged(std::uint64_t tag) const noexcept {
    using Tagged = std::pair<std::uint64_t, const Endpoint*>;
    const auto found = std::ranges::lower_bound(tags_, tag, {}, &Tagged::first);
    return found != tags_.end() && found->first == tag ? found->second : nullptr;
}

void RouteTargets::rank(const RouteLayout& layout, std::size_t pool) {
    const std::uint64_t seed = hash_text(layout.pools()[pool].name, hash_text(layout.self().node));
    std::vector<std::pair<std::uint64_t, std::uint32_t>> ranks;
    for (const std::uint32_t i : pools_[pool])
        ranks.emplace_back(hash_text(row_[i].endpoint->text, seed), i);
    std::ranges::sort(ranks);
    std::ranges::transform(ranks, pools_[pool].begin(), [](const auto& one) { return one.second; });
}

}  // namespace scrollgate
