// Verdicts: how many of a pool's endpoints are in service, and which.
#include <algorithm>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "health/verdicts.hpp"

namespace scrollgate {

std::string Verdicts::scale(const std::string& pool, const ScaleWish& wish, TimePoint now) {
    if (!pool.empty() && find(pool) == nullptr) return unknown_pool(pool);
    for (const auto& one : pools_) {
        if (!pool.empty() && one->config.name != pool) continue;
        Scaler tried = one->scaler;
        if (const std::string refused = tried.wish(wish); !refused.empty()) {
            return fmt::format("pool {}: {}", one->config.name, refused);
        }
    }
    for (const auto& one : pools_) {
        if (!pool.empty() && one->config.name != pool) continue;
        const ScaleState before = one->scaler.state();
        static_cast<void>(one->scaler.wish(wish));
        say_scale(*one, before);
        apply_scale(*one, now);
        settle(*one, now);
    }
    return {};
}

/// By load. True if a scaler has more to do by time alone.
bool Verdicts::scale_pools(TimePoint now) {
    const Duration passed = now - measured_;
    bool busy = false;
    const bool due = passed >= limits::scale_look;
    if (due) measured_ = now;
    for (const auto& pool : pools_) {
        busy |= pool->scaler.busy();
        if (!due) continue;
        double in_flight = 0;
        std::uint32_t idle = 0;
        for (const auto& endpoint : pool->endpoints) {
            in_flight += endpoint->state().in_flight.load(std::memory_order_relaxed);
            if (endpoint->in_service && !would_serve(*endpoint)) ++idle;
        }
        const ScaleState before = pool->scaler.state();
        if (!pool->scaler.measure(in_flight, passed, idle)) continue;
        changed_ = true;
        say_scale(*pool, before);
        if (before.in_service != pool->scaler.state().in_service) apply_scale(*pool, now);
    }
    return busy;
}

/// To be called when endpoints come and go, and when a verdict or an operator changes which of
/// them would serve. What comes later than its pool (`known`) is said.
void Verdicts::resize(WatchedPool& pool, bool known, TimePoint now) {
    ScaleMembers members;
    for (const auto& one : pool.endpoints) {
        const Endpoint& endpoint = *one->endpoint;
        const bool named = !SocketAddress::from_ip(endpoint.name, endpoint.port);
        if (endpoint.standby) {
            // One that could not help is none: what it cannot give is pending.
            if (!one->checks_fail() && !is_drained(endpoint)) ++members.standby;
            continue;
        }
        ++members.active;
        if (named) ++members.named;
    }
    members.elastic = pool.config.webhook.has_value();
    const ScaleState before = pool.scaler.state();
    if (pool.scaler.resize(members, pool.config.auto_scale) && known) say_scale(pool, before);
    apply_scale(pool, now);
}

/// One line for every change of what is wanted or in service; what is pending is their difference.
void Verdicts::say_scale(const WatchedPool& pool, const ScaleState& before) {
    const ScaleState& state = pool.scaler.state();
    if (before.wanted == state.wanted && before.in_service == state.in_service) return;
    const bool one = state.in_service == 1;
    say_(fmt::format("pool {}: {} {} in service ({} {}), {} wanted: {}", pool.config.name,
                     state.in_service, one ? "endpoint" : "endpoints",
                     before.in_service == 1 ? "was" : "were", before.in_service, state.wanted,
                     state.why));
}

bool Verdicts::is_drained(const Endpoint& endpoint) const {
    return drained_.contains({endpoint.pool, endpoint.text});
}

bool Verdicts::would_serve(const WatchedEndpoint& endpoint) const {
    return !endpoint.checks_fail() && !endpoint.outlier.ejected() &&
           !is_drained(*endpoint.endpoint);
}

/// Configured ones before standbys, so that a death alone brings no standby in; of each kind those
/// that serve already, then those that would, last those of which somebody (checks, traffic, an
/// operator) says that they would not. One that has come back from an ejection is in beside the
/// standbys that serve, and takes no place before it has answered: it may still be dead.
void Verdicts::apply_scale(WatchedPool& pool, TimePoint now) {
    enum Rank { serving, ready, useless, standby_serving, standby_ready, standby_useless };
    std::vector<std::pair<Rank, WatchedEndpoint*>> order;
    for (const auto& one : pool.endpoints) {
        const int rank = !would_serve(*one) ? useless : one->in_service ? serving : ready;
        order.emplace_back(Rank(one->endpoint->standby ? rank + standby_serving : rank), one.get());
    }
    std::ranges::stable_sort(order, {}, [](const auto& one) { return one.first; });
    const bool stands_in =
        std::ranges::any_of(order, [](const auto& one) { return one.first == standby_serving; });
    std::size_t place = 0;
    for (const auto& [rank, endpoint] : order) {
        const bool beside = stands_in && rank <= ready && endpoint->ramp.unproven();
        const bool wanted = beside || place++ < pool.scaler.state().in_service;
        if (wanted && !beside && !endpoint->in_service) {
            endpoint->ramp.begin(now, pool.config.slow_start, false);
        }
        endpoint->in_service = wanted;
    }
    busy_ = now;
}

}  // namespace scrollgate
