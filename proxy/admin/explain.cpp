#include "proxy/admin/explain.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/hop_by_hop.hpp"
#include "proxy/admin/explain_cache.hpp"

namespace scrollgate {
namespace {

std::string match_text(const config::Match& match) {
    std::vector<std::string> parts;
    const auto add = [&](std::string_view what, std::string_view value) {
        if (!value.empty()) parts.push_back(fmt::format("{} {}", what, value));
    };
    add("listener", match.listener);
    add("host", match.host);
    add("path_prefix", match.path_prefix);
    add("path_exact", match.path_exact);
    add("path_regex", match.path_regex);
    if (!match.methods.empty()) add("method", fmt::format("{}", fmt::join(match.methods, "|")));
    for (const auto& [name, value] : match.query)
        add("query", fmt::format("{}={}", name, value));
    for (const auto& [name, value] : match.headers)
        add("header", fmt::format("{}: {}", name, value));
    if (parts.empty()) return "it asks for nothing, so it takes all that is left";
    return fmt::format("it asks for {}", fmt::join(parts, ", "));
}

std::string balance_text(config::Route::Balance balance) {
    switch (balance) {
        case config::Route::Balance::adaptive:
            return "adaptive: by score and latency";
        case config::Route::Balance::round_robin:
            return "round_robin";
        case config::Route::Balance::least_requests:
            return "least_requests";
        case config::Route::Balance::random:
            return "random";
        case config::Route::Balance::consistent_hash:
            return "consistent_hash";
    }
    return {};
}

const PoolStatus* pool_of(const Status* status, const std::string& name) {
    if (status == nullptr) return nullptr;
    const auto found = std::find_if(status->pools.begin(), status->pools.end(),
                                    [&](const PoolStatus& pool) { return pool.name == name; });
    return found == status->pools.end() ? nullptr : &*found;
}

void explain_pools(const config::Route& route, const Status* status, Explanation& all) {
    std::map<std::uint32_t, std::vector<std::string>> levels;
    for (const config::RoutePool& pool : route.pools) {
        std::string text = pool.name;
        text += pool.split ? fmt::format(" (exactly {:.0f}%)", *pool.split * 100)
                           : fmt::format(" (weight {})", pool.weight);
        if (const PoolStatus* known = pool_of(status, pool.name))
            text += fmt::format(" {}, score {:.2f}: {}", known->state, known->score, known->why);
        levels[pool.priority].push_back(std::move(text));
    }
    for (const auto& [priority, pools] : levels) {
        const bool first = priority == levels.begin()->first;
        all.emplace_back(first ? "pools" : fmt::format("pools {}", priority),
                         fmt::format("{}{}", fmt::join(pools, ", "),
                                     first ? "" : ", for what those before cannot carry"));
    }
    all.emplace_back("balance", balance_text(route.balance));
}

}  // namespace

Explanation explain_url(const Snapshot& snapshot, std::string_view url, const HeaderList& asked,
                        const ExplainWorld& world) {
    Explanation all;
    HeaderList fields = asked;
    remove_named_by_connection(fields);
    remove_underscored(fields);
    const PlainUrl plain = plain_url(url);
    if (!plain.wrong.empty()) {
        all.emplace_back("wrong", plain.wrong);
        return all;
    }
    all.emplace_back("url", fmt::format("{}://{}{}{}", plain.scheme.empty() ? "http" : plain.scheme,
                                        plain.authority, plain.path, plain.query));
    const UrlRoute found = route_url(snapshot, plain, fields);
    if (found.route == nullptr) {
        all.emplace_back("route", "none: no route takes it, so the answer is 404");
        return all;
    }
    const config::Route& route = *found.route->route;
    const auto index = static_cast<std::size_t>(found.route - snapshot.routes.data());
    all.emplace_back(
        "route", fmt::format("{} (routes[{}]): {}", route.name, index, match_text(route.match)));
    all.emplace_back("listener", found.listener);
    if (route.redirect) {
        all.emplace_back(
            "answer", fmt::format("redirect {} to {}", route.redirect->status, route.redirect->to));
        return all;
    }
    if (route.respond) {
        all.emplace_back("answer", fmt::format("status {} by itself", route.respond->status));
        return all;
    }
    all.emplace_back("forwarded",
                     found.target.empty() ? "nothing: the rewrite refuses the path" : found.target);
    explain_cache({plain, found, fields}, world, all);
    explain_pools(route, world.status, all);
    return all;
}

}  // namespace scrollgate
