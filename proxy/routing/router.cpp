#include "proxy/routing/router.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "proxy/routing/conditions.hpp"
#include "proxy/routing/route_index.hpp"

namespace scrollgate {

struct Router::Table {
    RouteIndex index;
    std::vector<Conditions> conditions;  ///< by route
};

Router::Router(const std::vector<config::Route>& routes)
    : table_(std::make_unique<Table>(Table{RouteIndex(routes), {}})) {
    table_->conditions.reserve(routes.size());
    for (const config::Route& route : routes)
        table_->conditions.emplace_back(route.match);
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

std::optional<std::size_t> Router::find(std::string_view listener, std::string_view path,
                                        const RequestHead& head) const {
    constexpr auto none = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t best = none;
    table_->index.walk(head.authority, path, [&](const RouteList& candidates) {
        for (const std::uint32_t route : candidates) {
            if (route >= best) return;  // lists ascend: nothing earlier follows
            if (table_->conditions[route].hold(listener, path, head)) {
                best = route;
                return;
            }
        }
    });
    if (best == none) return std::nullopt;
    return best;
}

}  // namespace scrollgate
