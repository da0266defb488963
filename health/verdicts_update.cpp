// Verdicts: configuration, sets, commands and checks; scaling is in verdicts_scale.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "health/verdicts.hpp"

namespace scrollgate {
namespace {

CheckState::Rules rules_of(const config::HealthCheck& check) {
    return {check.interval, check.healthy_after, check.unhealthy_after};
}

}  // namespace

void Verdicts::update(std::shared_ptr<const config::Config> config, const PoolSets& sets,
                      TimePoint now) {
    config_ = std::move(config);
    if (looked_ == TimePoint{}) looked_ = accounted_ = rotated_ = measured_ = busy_ = now;
    account(now);  // before endpoints come and go
    std::vector<std::unique_ptr<WatchedPool>> pools;
    for (const config::Pool& configured : config_->pools) {
        const auto old = std::find_if(pools_.begin(), pools_.end(), [&](const auto& pool) {
            return pool && pool->config.name == configured.name;
        });
        const bool known = old != pools_.end();
        const bool joins = known && !(*old)->endpoints.empty();
        pools.push_back(known ? std::move(*old) : std::make_unique<WatchedPool>(configured));
        WatchedPool& pool = *pools.back();
        pool.config = configured;
        const auto set = sets.find(configured.name);
        update_endpoints(pool, set == sets.end() ? nullptr : set->second, joins, now);
        update_checks(pool, now);
        resize(pool, known, now);
    }
    pools_ = std::move(pools);
    relate();
    panic_.update(*config_);
    for (const auto& pool : pools_)
        settle(*pool, now);
    changed_ = true;
    busy_ = now;
}

void Verdicts::update_endpoints(WatchedPool& pool, const std::shared_ptr<const EndpointSet>& set,
                                bool joins, TimePoint now) {
    std::vector<std::unique_ptr<WatchedEndpoint>> endpoints;
    for (const auto& endpoint : set ? *set : EndpointSet{}) {
        pool.state = endpoint->pool_state;
        const auto old = std::find_if(
            pool.endpoints.begin(), pool.endpoints.end(),
            [&](const auto& one) { return one && one->endpoint->state == endpoint->state; });
        if (old != pool.endpoints.end()) {
            (*old)->endpoint = endpoint;
            endpoints.push_back(std::move(*old));
            continue;
        }
        endpoints.push_back(back_or_new(pool, endpoint));
        endpoints.back()->in_service = !endpoint->standby;
        if (joins) endpoints.back()->ramp.begin(now, pool.config.slow_start, false);
    }
    depart(pool, now);
    std::stable_partition(endpoints.begin(), endpoints.end(),
                          [](const auto& one) { return !one->endpoint->standby; });
    pool.endpoints = std::move(endpoints);
    pool.by_address.clear();
    for (const auto& endpoint : pool.endpoints)
        pool.by_address.emplace(endpoint->endpoint->text, endpoint.get());
    rank(pool);  // the best may have left
}

/// One that has left is kept with all that is known of it, so that coming back heals nobody.
std::unique_ptr<WatchedEndpoint> Verdicts::back_or_new(
    WatchedPool& pool, const std::shared_ptr<const Endpoint>& endpoint) {
    const auto gone = std::find_if(
        pool.departed.begin(), pool.departed.end(),
        [&](const auto& one) { return one.endpoint->endpoint->state == endpoint->state; });
    if (gone == pool.departed.end()) return std::make_unique<WatchedEndpoint>(endpoint);
    std::unique_ptr<WatchedEndpoint> back = std::move(gone->endpoint);
    pool.departed.erase(gone);
    back->endpoint = endpoint;
    return back;
}

/// Those that are still among the pool's endpoints, which are about to be replaced, leave.
void Verdicts::depart(WatchedPool& pool, TimePoint now) {
    for (std::unique_ptr<WatchedEndpoint>& one : pool.endpoints)
        if (one) pool.departed.push_back({std::move(one), now});
    auto keep = pool.departed.begin();
    while (keep != pool.departed.end() && now - keep->since > limits::departed_kept)
        ++keep;
    const std::size_t kept = static_cast<std::size_t>(pool.departed.end() - keep);
    if (kept > limits::departed_most)
        keep += static_cast<std::ptrdiff_t>(kept - limits::departed_most);
    pool.departed.erase(pool.departed.begin(), keep);
}

bool WatchedPool::resolved() const {
    const auto there = [this](const config::Endpoint& configured) {
        return std::any_of(endpoints.begin(), endpoints.end(), [&](const auto& one) {
            return one->endpoint->name == configured.host && one->endpoint->port == configured.port;
        });
    };
    return std::all_of(config.endpoints.begin(), config.endpoints.end(), there) &&
           std::all_of(config.standby.begin(), config.standby.end(), there);
}

void Verdicts::update_checks(WatchedPool& pool, TimePoint now) {
    for (const auto& endpoint : pool.endpoints) {
        if (!pool.config.health_check) {
            endpoint->check.reset();
        } else if (endpoint->check) {
            endpoint->check->set_rules(rules_of(*pool.config.health_check));
        } else {
            endpoint->check.emplace(rules_of(*pool.config.health_check), now, rng_);
        }
    }
    std::vector<WatchedPool::Dependency> depends_on;
    for (const config::Dependency& configured : pool.config.depends_on) {
        const auto old =
            std::find_if(pool.depends_on.begin(), pool.depends_on.end(),
                         [&](const auto& one) { return one.config.url == configured.url; });
        if (old != pool.depends_on.end()) {
            depends_on.push_back(*old);
            depends_on.back().config = configured;
        } else {
            depends_on.push_back({configured, CheckState({}, now, rng_), ""});
        }
    }
    pool.depends_on = std::move(depends_on);
}

void Verdicts::relate() {
    for (const auto& pool : pools_) {
        pool->routes.clear();
        pool->related.clear();
    }
    for (const config::Route& route : config_->routes) {
        std::vector<WatchedPool*> members;
        for (const config::RoutePool& member : route.pools) {
            if (WatchedPool* pool = find(member.name)) members.push_back(pool);
        }
        for (WatchedPool* pool : members) {
            std::vector<WatchedPool*>& others = pool->routes.emplace_back();
            for (WatchedPool* other : members) {
                if (other == pool) continue;
                others.push_back(other);
                if (std::find(pool->related.begin(), pool->related.end(), other) ==
                    pool->related.end()) {
                    pool->related.push_back(other);
                }
            }
        }
    }
}

WatchedPool* Verdicts::find(const std::string& pool) const noexcept {
    for (const auto& one : pools_) {
        if (one->config.name == pool) return one.get();
    }
    return nullptr;
}

WatchedEndpoint* Verdicts::find(const std::string& pool,
                                const std::string& address) const noexcept {
    const WatchedPool* known = find(pool);
    if (known == nullptr) return nullptr;
    return known->find(address);
}

std::string Verdicts::unknown_pool(const std::string& pool) const {
    std::string names;
    for (const auto& one : pools_)
        names += (names.empty() ? "" : ", ") + one->config.name;
    return fmt::format("there is no pool {}; there are: {}", pool, names);
}

// ---- commands

std::string Verdicts::fail(const std::string& pool, Duration span, TimePoint now) {
    if (find(pool) == nullptr) return unknown_pool(pool);
    if (span <= Duration::zero()) return "for must be more than 0";
    failed_[pool] = after(now, span);
    busy_ = now;
    settle(*find(pool), now);
    return {};
}

std::string Verdicts::unfail(const std::string& pool, TimePoint now) {
    const bool was = failed_.erase(pool) != 0;
    WatchedPool* const known = find(pool);
    if (known == nullptr) return was ? "" : unknown_pool(pool);  // a reload took it out
    if (!was) return fmt::format("pool {} is not failed", pool);
    busy_ = now;
    settle(*known, now);
    return {};
}

std::string Verdicts::drain(const std::string& pool, const std::string& address, TimePoint now) {
    if (find(pool) == nullptr) return unknown_pool(pool);
    if (find(pool, address) == nullptr) {
        return fmt::format("pool {} has no endpoint {}", pool, address);
    }
    drained_.emplace(pool, address);
    busy_ = now;
    resize(*find(pool), true, now);
    settle(*find(pool), now);
    return {};
}

std::string Verdicts::undrain(const std::string& pool, const std::string& address, TimePoint now) {
    if (find(pool) == nullptr) return unknown_pool(pool);
    if (drained_.erase({pool, address}) == 0) {
        return fmt::format("endpoint {} of pool {} is not drained", address, pool);
    }
    busy_ = now;
    resize(*find(pool), true, now);
    settle(*find(pool), now);
    return {};
}

// ---- checks

TimePoint Verdicts::check_due(const std::string& pool, const std::string& address) const {
    const WatchedEndpoint* endpoint = find(pool, address);
    return endpoint != nullptr && endpoint->check ? endpoint->check->due() : never;
}

TimePoint Verdicts::dependency_due(const std::string& pool, const std::string& url) const {
    const WatchedPool* known = find(pool);
    if (known == nullptr) return never;
    for (const WatchedPool::Dependency& one : known->depends_on) {
        if (one.config.url == url) return one.check.due();
    }
    return never;
}

TimePoint Verdicts::checked(const std::string& pool, const std::string& address, bool passed,
                            const std::string& why, TimePoint began, TimePoint now) {
    WatchedPool* known = find(pool);
    WatchedEndpoint* endpoint = known != nullptr ? known->find(address) : nullptr;
    if (endpoint == nullptr || !endpoint->check) return never;
    WatchedPool& of = *known;
    const float part = endpoint->check->part();
    const bool changed = endpoint->check->record(passed, began, now, rng_);
    if (!passed) endpoint->check_why = why;
    if (changed) endpoint->revived = passed;
    if (changed && passed) endpoint->ramp.begin(now, of.config.slow_start, false);
    if (changed) resize(of, true, now);
    if (changed || part != endpoint->check->part() || endpoint->outlier.ejected()) {
        busy_ = now;
        settle(of, now);
    }
    return endpoint->check->due();
}

TimePoint Verdicts::unchecked(const std::string& pool, const std::string& address, TimePoint began,
                              TimePoint now) {
    WatchedEndpoint* endpoint = find(pool, address);
    if (endpoint == nullptr || !endpoint->check) return never;
    endpoint->check->skip(began, now, rng_);
    return endpoint->check->due();
}

TimePoint Verdicts::dependency_unchecked(const std::string& pool, const std::string& url,
                                         TimePoint began, TimePoint now) {
    WatchedPool* known = find(pool);
    if (known == nullptr) return never;
    for (WatchedPool::Dependency& one : known->depends_on) {
        if (one.config.url != url) continue;
        one.check.skip(began, now, rng_);
        return one.check.due();
    }
    return never;
}

TimePoint Verdicts::dependency_checked(const std::string& pool, const std::string& url, bool passed,
                                       const std::string& why, TimePoint began, TimePoint now) {
    WatchedPool* known = find(pool);
    if (known == nullptr) return never;
    for (WatchedPool::Dependency& one : known->depends_on) {
        if (one.config.url != url) continue;
        const bool changed = one.check.record(passed, began, now, rng_);
        one.why = passed ? "" : why;
        if (changed) {
            say_(passed ? fmt::format("pool {}: its dependency {} is back", pool, one.config.shown)
                        : fmt::format("pool {}: its dependency {} is gone ({}); other pools are "
                                      "preferred",
                                      pool, one.config.shown, why));
            changed_ = true;
            settle(*known, now);
        }
        return one.check.due();
    }
    return never;
}

}  // namespace scrollgate
