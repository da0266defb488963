#include "health/panic.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace scrollgate {

void PanicWatch::update(const config::Config& config) {
    const std::vector<Watched> old = std::exchange(routes_, {});
    for (const config::Route& route : config.routes) {
        if (route.pools.empty()) continue;
        Watched& made = routes_.emplace_back();
        made.name = route.name;
        for (std::size_t i = 0; i < config.pools.size(); ++i) {
            const auto same = [&](const auto& member) {
                return member.name == config.pools[i].name;
            };
            if (std::ranges::any_of(route.pools, same)) made.pools.push_back(i);
        }
        const auto before = std::ranges::find(old, made.name, &Watched::name);
        if (before == old.end()) continue;
        made.panicking = before->panicking;
        made.had_some = before->had_some;
        made.told_of_none = before->told_of_none;
    }
}

bool PanicWatch::look(const std::vector<std::unique_ptr<WatchedPool>>& pools,
                      const std::function<void(const std::string&)>& say) {
    std::vector<std::pair<std::size_t, std::size_t>> counts;  // in, and out by a verdict
    for (const auto& pool : pools) {
        auto& [in, out] = counts.emplace_back();
        for (const auto& endpoint : pool->endpoints) {
            const Standing standing = endpoint->standing();
            in += standing == Standing::in ? 1 : 0;
            out += out_by_verdict(standing) ? 1 : 0;
        }
    }
    bool changed = false;
    for (Watched& route : routes_) {
        std::size_t in = 0, out = 0;
        for (const std::size_t pool : route.pools) {
            in += counts[pool].first;
            out += counts[pool].second;
        }
        const bool panicking = in == 0 && out > 0;
        const bool nobody = in + out == 0;
        if (!nobody && route.told_of_none)
            say(fmt::format("route {}: there are endpoints again: {}", route.name, in + out));
        if (nobody && route.had_some) {
            constexpr auto text =
                "route {}: no endpoint is left that may be tried: operators or DNS have taken out "
                "all";
            say(fmt::format(text, route.name));
        }
        route.told_of_none = nobody && (route.had_some || route.told_of_none);
        route.had_some = !nobody;
        if (std::exchange(route.panicking, panicking) == panicking) continue;
        changed = true;
        if (nobody) continue;
        say(panicking ? fmt::format("route {}: panic: nothing is well; tried are all that are "
                                    "ejected or unhealthy: {}",
                                    route.name, out)
                      : fmt::format("route {}: the panic is over; endpoints that are in: {}",
                                    route.name, in));
    }
    return changed;
}

std::vector<HealthStatus::Route> PanicWatch::status() const {
    std::vector<HealthStatus::Route> all;
    for (const Watched& route : routes_)
        all.push_back({route.name, route.panicking});
    return all;
}

}  // namespace scrollgate
