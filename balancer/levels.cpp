#include "balancer/levels.hpp"

#include <algorithm>
#include <map>

namespace scrollgate {

RouteTargets::RouteTargets(const std::vector<config::RoutePool>& pools, const PoolSets& sets) {
    std::map<std::uint32_t, std::vector<Target>> by_priority;
    for (const config::RoutePool& pool : pools) {
        std::vector<Target>& level = by_priority[pool.priority];
        const auto set = sets.find(pool.name);
        if (set == sets.end() || set->second == nullptr) continue;
        held_.push_back(set->second);
        double sum = 0;
        for (const auto& endpoint : *set->second)
            sum += endpoint->weight;
        for (const auto& endpoint : *set->second) {
            level.push_back({endpoint.get(), pool.weight * (endpoint->weight / sum)});
        }
    }
    for (const auto& [priority, level] : by_priority) {
        targets_.insert(targets_.end(), level.begin(), level.end());
        ends_.push_back(targets_.size());
    }
}

std::span<const Target> RouteTargets::level(std::size_t index) const noexcept {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::span(targets_).subspan(begin, ends_[index] - begin);
}

RouteBalancer::RouteBalancer(const config::Route& route)
    : pools_(route.pools), targets_(std::make_shared<RouteTargets>(pools_, PoolSets{})) {
    for (std::size_t i = 0; i < targets_->levels(); ++i) {
        policies_.push_back(make_policy(route.balance));
        policies_.back()->changed({});
    }
}

void RouteBalancer::update(const PoolSets& sets) {
    targets_ = std::make_shared<RouteTargets>(pools_, sets);
    std::size_t longest = 0;
    for (std::size_t i = 0; i < policies_.size(); ++i) {
        policies_[i]->changed(targets_->level(i));
        longest = std::max(longest, targets_->level(i).size());
    }
    marks_ = std::make_unique<bool[]>(longest);
}

const Endpoint* RouteBalancer::pick(std::span<const Endpoint* const> tried, Rng& rng) {
    for (std::size_t i = 0; i < policies_.size(); ++i) {
        const std::span<const Target> level = targets_->level(i);
        if (level.empty()) continue;
        mark(level, tried, true);
        const auto chosen = policies_[i]->pick(level, {marks_.get(), level.size()}, rng);
        mark(level, tried, false);
        if (chosen) return level[*chosen].endpoint;
    }
    return nullptr;
}

void RouteBalancer::mark(std::span<const Target> level, std::span<const Endpoint* const> tried,
                         bool to) {
    for (const Endpoint* endpoint : tried) {
        for (std::size_t i = 0; i < level.size(); ++i) {
            if (level[i].endpoint->state == endpoint->state) marks_[i] = to;
        }
    }
}

}  // namespace scrollgate
