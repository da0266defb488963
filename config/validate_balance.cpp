// What only the whole route can tell about its pools and how it picks among them.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "config/suggest.hpp"
#include "config/validate.hpp"

namespace scrollgate::config {

void Validator::route_pools(const config::Route& route, const std::string& path) {
    std::vector<std::string_view> names;
    for (const Pool& pool : config_.pools)
        names.push_back(pool.name);
    std::map<std::string_view, std::size_t> seen;
    for (std::size_t i = 0; i < route.pools.size(); ++i) {
        const std::string& name = route.pools[i].name;
        if (name.empty()) continue;
        const std::string at = fmt::format("{}.pools[{}]", path, i);
        const auto [first, fresh] = seen.emplace(name, i);
        if (!fresh)
            error(at, fmt::format("{} is pools[{}] already; for a larger share use weight",
                                  quoted(name), first->second));
        else if (std::find(names.begin(), names.end(), name) == names.end())
            error(at,
                  fmt::format("no pool is named {}{}", quoted(name), did_you_mean(name, names)));
    }
}

/// The exact shares of one priority leave something for each pool without one, and are all of it
/// if there is none.
void Validator::route_splits(const config::Route& route, const std::string& path) {
    struct Level {
        long percent = 0;
        std::size_t last_split = 0;  ///< index of the last pool with a split
        std::size_t splits = 0;
        const RoutePool* rest = nullptr;  ///< the first pool without one
    };
    if (reported(path + ".pools")) return;
    std::map<std::uint32_t, Level> levels;
    for (std::size_t i = 0; i < route.pools.size(); ++i) {
        const RoutePool& pool = route.pools[i];
        Level& level = levels[pool.priority];
        if (pool.split) {
            level.percent += std::lround(*pool.split * 100);
            level.last_split = i;
            ++level.splits;
        } else if (level.rest == nullptr) {
            level.rest = &pool;
        }
    }
    for (const auto& [priority, level] : levels) {
        if (level.splits == 0) continue;
        const std::string at = fmt::format("{}.pools[{}].split", path, level.last_split);
        const std::string sum =
            fmt::format("the splits of priority {} sum to {}%", priority, level.percent);
        if (level.percent > 100)
            error(at, sum + ", which is more than 100%");
        else if (level.rest != nullptr && level.percent == 100)
            error(at, fmt::format("{}: nothing is left for {}", sum, quoted(level.rest->name)));
        else if (level.rest == nullptr && level.percent < 100)
            error(at, fmt::format("{}; they have to sum to 100%, or one pool has none and takes "
                                  "the rest",
                                  sum));
    }
}

void Validator::route_balance(const config::Route& route, const std::string& path) {
    const std::string hash = path + ".hash";
    if (route.balance != Route::Balance::consistent_hash && reader_.present(hash) &&
        !reader_.from_defaults(hash))
        warning(hash, "has no effect without balance: consistent_hash");
    const Self& self = config_.self;
    if (route.nearness == Route::Nearness::strict && self.provider.empty() && self.region.empty() &&
        self.zone.empty() && !reported("self"))
        warning(path + ".nearness",
                "strict goes by self, which does not say where this proxy is: set self.region");
}

}  // namespace scrollgate::config
