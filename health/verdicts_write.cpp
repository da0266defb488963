// Verdicts: what is written: standing, score, epoch, availability, status.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "health/verdicts.hpp"

namespace scrollgate {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr double quiet = 0.01;  ///< attempts per second: below, there is nothing to share

/// True if `part` differs from `value` by a hundredth of it; then it is written.
bool renew(std::atomic<float>& part, double value) noexcept {
    const float old = part.load(relaxed);
    const auto next = static_cast<float>(value);
    const bool ends = (next == 1 || next == 0) && old != next;
    if (!ends && std::abs(next - old) <= 0.01F * old) return false;
    part.store(next, relaxed);
    return true;
}

/// How long its answers take, and what they are compared with.
std::string pace(const WatchedPool& pool, const WatchedEndpoint& endpoint) {
    std::string text = fmt::format("{:.1f} ms, usually {:.1f} ms", endpoint.latency.recent() / 1000,
                                   endpoint.latency.usual() / 1000);
    if (pool.median_us > 0) text += fmt::format(", its pool {:.1f} ms", pool.median_us / 1000);
    return text;
}

std::string failures(const Tally& tally) {
    return fmt::format("{:.0f} % of its last attempts have failed",
                       100 * tally.bad / std::max(tally.samples(), 1.0));
}

/// Of an endpoint that is in: what lowers its score most. Nothing: what was said when it came in
/// still holds, or nothing is wrong.
std::optional<std::string> flaw(const WatchedPool& pool, const WatchedEndpoint& endpoint) {
    const EndpointState& state = endpoint.state();
    const float check = state.check_part, success = state.success_part,
                latency = state.latency_part, dependency = state.dependency_part;
    const float least = std::min({check, success, latency, dependency});
    const Tally& tally = endpoint.success.tally();
    if (least >= 0.9F && tally.samples() >= 1 && tally.bad > tally.good)
        return failures(tally) + "; nobody else does better";
    if (least >= 0.9F || least >= state.ramp_part.load(relaxed)) return std::nullopt;
    if (least == dependency) return "something that its pool depends on is gone";
    if (least == check) return fmt::format("a check has failed: {}", endpoint.check_why);
    if (least == latency) return fmt::format("it is slow: {}", pace(pool, endpoint));
    return failures(tally);
}

}  // namespace

/// Makes the verdict on every endpoint of the pool anew; says what changed.
void Verdicts::settle(WatchedPool& pool, TimePoint now) {
    account(now);
    bool changed = false;
    for (const auto& endpoint : pool.endpoints) {
        changed |= stand(pool, *endpoint, now);
        changed |= score(pool, *endpoint, now);
        explain(pool, *endpoint);
    }
    if (!changed) return;
    changed_ = true;
    if (pool.state) pool.state->epoch.fetch_add(1, std::memory_order_release);
}

bool Verdicts::stand(WatchedPool& pool, WatchedEndpoint& endpoint, TimePoint now) {
    const Endpoint& of = *endpoint.endpoint;
    const auto failed = failed_.find(pool.config.name);
    Standing standing = Standing::in;
    std::string why;
    if (failed != failed_.end() && failed->second > now) {
        standing = Standing::failed;
        why = "an operator has failed its pool";
    } else if (is_drained(of)) {
        standing = Standing::drained;
        why = "an operator has drained it";
    } else if (!endpoint.in_service) {
        standing = Standing::standby;
        why = of.standby ? "not scaled in" : "scaled out";
        if (endpoint.checks_fail()) why += fmt::format("; its checks fail: {}", endpoint.check_why);
    } else if (endpoint.checks_fail()) {
        standing = Standing::unhealthy;
        why = fmt::format("its checks fail: {}", endpoint.check_why);
    } else if (endpoint.outlier.ejected()) {
        standing = Standing::ejected;
        why = endpoint.eject_why;
    }
    const Standing before = endpoint.standing();
    if (standing == before) {
        if (standing != Standing::in) endpoint.why = std::move(why);
        return false;
    }
    if (standing == Standing::in) {
        if (before == Standing::unhealthy)
            why = endpoint.check ? "its checks pass" : "it is not checked any more";
        if (before == Standing::ejected) why = "its ejection is over; it begins with a trickle";
        if (before == Standing::standby) why = "scaled in";
        if (before == Standing::failed || before == Standing::drained) {
            why = before == Standing::failed && failed != failed_.end()
                      ? "the time for which an operator had failed its pool is over"
                      : "an operator has put it back";
            endpoint.ramp.begin(
                now, std::min<Duration>(pool.config.slow_start, limits::return_ramp), false);
        }
    }
    endpoint.why = why;
    endpoint.state().standing.store(standing, relaxed);
    say_(fmt::format("pool {}: {} is {} (was {}): {}", of.pool, of.text, standing_text(standing),
                     standing_text(before), why));
    return true;
}

/// Of one that is in. What is new here comes with a score that is.
void Verdicts::explain(const WatchedPool& pool, WatchedEndpoint& endpoint) {
    if (endpoint.standing() != Standing::in) return;
    constexpr std::string_view well = "nothing is wrong with it";
    if (std::optional<std::string> wrong = flaw(pool, endpoint)) {
        endpoint.why = *std::move(wrong);
    } else if (endpoint.state().ramp_part.load(relaxed) >= 1 && endpoint.why != well) {
        endpoint.why = well;
    }
}

/// Against whoever shows most clearly that it can be done better: its pool's others together, the
/// best of them, each other pool of its routes. Who is well and has hardly been asked counts as
/// good: what is sent there will show.
double Verdicts::success_of(const WatchedPool& pool, const WatchedEndpoint& endpoint) const {
    const Tally& own = endpoint.success.tally();
    double part = 1;
    const auto against = [&](const Tally& peers, double deviations = 2) {
        if (peers.samples() <= 0) return;
        const double noise = deviations * deviation(own, peers.success(), peers.samples());
        part = std::min(part, success_part(own.success(), peers.success(), noise));
    };
    against(pool.tally - own);
    against(pool.promise);
    // Of many that are alike one always has had some luck.
    const WatchedEndpoint* const best = pool.best != &endpoint ? pool.best : pool.second_best;
    if (best != nullptr) against(best->success.tally(), 3);
    for (const WatchedPool* other : pool.related)
        against(other->well ? filled_up(other->tally) : other->tally);
    return part;
}

bool Verdicts::score(WatchedPool& pool, WatchedEndpoint& endpoint, TimePoint now) {
    double least_slower = pool.slower > 0 ? pool.slower : 1;
    for (const WatchedPool* other : pool.related) {
        if (other->slower > 0 && (other->tally.samples() > 0 || other->well))
            least_slower = std::min(least_slower, other->slower);
    }
    const double own_slower = endpoint.latency.against_usual() / std::max(1.0, least_slower);
    const double in_pool = pool.median_us > 0 && endpoint.latency.known()
                               ? times_slower(endpoint.latency.recent(), pool.median_us)
                               : 1;
    const double success = success_of(pool, endpoint);
    const double latency = latency_part(own_slower, in_pool);
    const double check = endpoint.check ? endpoint.check->part() : 1;
    const double ramp = endpoint.ramp.part(now);
    const double dependency = pool.dependencies_up() ? 1 : limits::dependency_part;

    EndpointState& state = endpoint.state();
    renew(state.check_part, check);
    renew(state.success_part, success);
    renew(state.latency_part, latency);
    renew(state.ramp_part, ramp);
    renew(state.dependency_part, dependency);
    const double product = check * success * latency * ramp * dependency;
    const bool changed = renew(state.score, std::clamp(product, limits::score_floor, 1.0));

    const double quality = success * latency;
    const bool in = endpoint.standing() == Standing::in;
    if (in && (endpoint.announced_low ? quality > 0.8 : quality < 0.5)) {
        endpoint.announced_low = !endpoint.announced_low;
        say_(fmt::format("pool {}: {} {} (score {:.2f}: success {:.2f}, latency {:.2f}; {})",
                         endpoint.endpoint->pool, endpoint.endpoint->text,
                         endpoint.announced_low ? "does badly" : "does well again", product,
                         success, latency, pace(pool, endpoint)));
    }
    return changed;
}

/// The time up to now went by under the standings as they are: called before any of them changes.
void Verdicts::account(TimePoint now) {
    const Duration passed = now - accounted_;
    if (passed <= Duration::zero()) return;
    accounted_ = now;
    for (const auto& pool : pools_) {
        bool in = false, wanted = false;
        for (const auto& endpoint : pool->endpoints) {
            const Standing standing = endpoint->standing();
            const bool counts = standing == Standing::in || out_by_verdict(standing);
            endpoint->availability.add(passed, standing == Standing::in, counts);
            in |= standing == Standing::in;
            wanted |= counts;
        }
        pool->availability.add(passed, in, wanted || pool->endpoints.empty());
    }
    account_routes(passed);
}

/// A route is up while one of its pools has an endpoint in; of one that is out because operators
/// wanted it so, nothing is known.
void Verdicts::account_routes(Duration passed) {
    const auto is_in = [](const auto& one) { return one->standing() == Standing::in; };
    const auto has_in = [&](const WatchedPool* pool) {
        return std::any_of(pool->endpoints.begin(), pool->endpoints.end(), is_in);
    };
    const auto is_lost = [](const WatchedPool* pool) {
        return pool->endpoints.empty() ||
               std::any_of(pool->endpoints.begin(), pool->endpoints.end(),
                           [](const auto& one) { return out_by_verdict(one->standing()); });
    };
    bool up = true, known = pools_.empty();
    for (const auto& pool : pools_) {
        if (has_in(pool.get())) {
            known = true;
            continue;
        }
        for (const auto& others : pool->routes) {
            if (std::any_of(others.begin(), others.end(), has_in)) continue;
            const bool lost =
                is_lost(pool.get()) || std::any_of(others.begin(), others.end(), is_lost);
            up &= !lost;
            known |= lost;
        }
    }
    availability_.add(passed, up, known);
}

namespace {

HealthStatus::Endpoint report(const WatchedEndpoint& endpoint) {
    const EndpointState& state = endpoint.state();
    return {.address = endpoint.endpoint->text,
            .standing = endpoint.standing(),
            .why = endpoint.why,
            .standby = endpoint.endpoint->standby,
            .score = state.score.load(relaxed),
            .check = state.check_part.load(relaxed),
            .success = state.success_part.load(relaxed),
            .latency = state.latency_part.load(relaxed),
            .ramp = state.ramp_part.load(relaxed),
            .dependency = state.dependency_part.load(relaxed),
            .recent_us = endpoint.latency.recent(),
            .usual_us = endpoint.latency.usual(),
            .availability = endpoint.availability.shares()};
}

/// State and why from what its endpoints are.
void characterise(HealthStatus::Pool& pool, std::size_t in, std::size_t failed) {
    if (pool.endpoints.empty()) {
        pool.state = "out";
        pool.why = "no address is known";
    } else if (failed > 0) {
        pool.state = "failed";
        pool.why = "an operator has failed it";
    } else if (in == 0) {
        pool.state = "out";
        pool.why = fmt::format("none of {} endpoints is in", pool.endpoints.size());
    } else if (pool.score < 0.5) {
        pool.state = "degraded";
        pool.why = fmt::format("{} of {} endpoints in service are in, mean score {:.2f}", in,
                               pool.active, pool.score);
    } else {
        pool.state = "in";
        pool.why = fmt::format("{} of {} endpoints in service are in", in, pool.active);
    }
}

}  // namespace

HealthStatus Verdicts::status() const {
    HealthStatus status;
    status.availability = availability_.shares();
    status.routes = panic_.status();
    double rates = 0;
    for (const auto& pool : pools_)
        rates += pool->rate;
    if (rates < quiet) rates = 0;
    for (const auto& pool : pools_) {
        HealthStatus::Pool& made = status.pools.emplace_back();
        made.name = pool->config.name;
        made.share = rates > 0 ? pool->rate / rates : 0;
        made.scale = pool->scaler.state();
        made.availability = pool->availability.shares();
        made.ejections = pool->ejections;
        for (const WatchedPool::Dependency& one : pool->depends_on)
            made.depends_on.push_back({one.config.shown, one.check.healthy(), one.why});
        std::size_t in = 0, failed = 0, useless = 0;
        double weights = 0;
        for (const auto& endpoint : pool->endpoints) {
            const HealthStatus::Endpoint& one = made.endpoints.emplace_back(report(*endpoint));
            if (one.standing == Standing::failed) ++failed;
            ++(endpoint->in_service ? made.active : made.standby);
            if (!endpoint->in_service) continue;
            if (!would_serve(*endpoint)) ++useless;
            weights += endpoint->endpoint->weight;
            if (one.standing != Standing::in) continue;
            ++in;
            made.score += double{one.score} * endpoint->endpoint->weight;
        }
        if (weights > 0) made.score /= weights;
        if (useless > 0)
            made.scale.why += fmt::format("; {} of those in service {} not serve now", useless,
                                          useless == 1 ? "does" : "do");
        characterise(made, in, failed);
    }
    return status;
}

const HealthStatus::Pool* HealthStatus::pool(std::string_view name) const noexcept {
    for (const Pool& one : pools) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

const HealthStatus::Endpoint* HealthStatus::Pool::endpoint(
    std::string_view address) const noexcept {
    for (const Endpoint& one : endpoints) {
        if (one.address == address) return &one;
    }
    return nullptr;
}

bool HealthStatus::panicking(std::string_view route) const noexcept {
    return std::ranges::any_of(
        routes, [&](const Route& one) { return one.name == route && one.panicking; });
}

}  // namespace scrollgate
