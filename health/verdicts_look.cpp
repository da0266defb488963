// Verdicts: the look. Evidence is gathered, compared with the peers', and judged.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "health/verdicts.hpp"

namespace scrollgate {
namespace {

double difference(std::uint64_t now, std::uint64_t before) noexcept {
    return now > before ? static_cast<double>(now - before) : 0;
}

}  // namespace

TimePoint Verdicts::look(TimePoint now) {
    const Duration passed = std::max(Duration::zero(), now - looked_);
    looked_ = now;
    account(now);
    bool traffic = false, moving = false, waits = false;
    for (const auto& pool : pools_)
        traffic |= gather(*pool, passed);
    for (const auto& pool : pools_)
        compare(*pool);
    moving |= scale_pools(now);
    for (const auto& pool : pools_)
        waits |= judge_traffic(*pool, now);
    for (const auto& pool : pools_) {
        settle(*pool, now);
        for (const auto& endpoint : pool->endpoints)
            moving |= endpoint->ramp.moving(now);
    }
    std::erase_if(failed_, [now](const auto& one) { return one.second <= now; });
    changed_ |= panic_.look(pools_, say_);
    rotate(now);
    return next_look(traffic, moving, waits, now);
}

/// Percentiles forget what is older than two windows, also if nobody looked meanwhile.
void Verdicts::rotate(TimePoint now) {
    if (now - rotated_ < limits::latency_window) return;
    const int turns = now - rotated_ < 2 * limits::latency_window ? 1 : 2;
    rotated_ = now;
    for (const auto& pool : pools_) {
        for (const auto& endpoint : pool->endpoints) {
            EndpointState& state = endpoint->state();
            for (int i = 0; i < turns; ++i)
                state.heads.rotate();
            endpoint->heads = state.heads.log_sum();
            // Connects are rare while connections are kept: what was learned stays until enough
            // of them have come to learn it anew.
            if (state.connects.fresh() >= limits::race_samples) state.connects.rotate();
        }
    }
}

/// Reads what the workers have counted since the last look. True if that was anything.
bool Verdicts::gather(WatchedPool& pool, Duration passed) {
    bool any = false;
    double attempts = 0;
    pool.tally = {};
    pool.fresh = {};
    pool.newest_answer = pool.second_answer = 0;
    for (const auto& endpoint : pool.endpoints) {
        const Evidence now = Evidence::of(endpoint->state());
        const Evidence& before = endpoint->before;
        const double good = difference(now.answers, before.answers);
        const double bad = difference(now.bad(), before.bad());
        endpoint->success.add(good, bad, passed);
        endpoint->fresh = now.error_run >= pool.config.outlier.consecutive
                              ? FreshAnswers{{}, {good, bad}, 0}
                              : FreshAnswers{{good, bad}, {}, endpoint->success.tally().good >= 1};
        pool.fresh += endpoint->fresh;
        pool.tally += endpoint->success.tally();
        add_heads(pool, *endpoint, now.heads() - std::min(now.heads(), before.heads()), passed);
        if (now.last_answer > pool.newest_answer) {
            pool.second_answer = pool.newest_answer;
            pool.newest_answer = now.last_answer;
        } else {
            pool.second_answer = std::max(pool.second_answer, now.last_answer);
        }
        const std::uint64_t requests = endpoint->state().requests.load(std::memory_order_relaxed);
        attempts += difference(requests, endpoint->requests);
        endpoint->requests = requests;
        // What is merely under way (a tunnel, for hours) changes nothing but what `auto` wants.
        any |= good + bad > 0 || (pool.config.auto_scale &&
                                  endpoint->state().in_flight.load(std::memory_order_relaxed) > 0);
        endpoint->before = now;
    }
    rank(pool);
    if (passed > Duration::zero()) {
        const double fresh = 1 - std::exp(-seconds_of(passed) / 10);
        pool.rate += (attempts / seconds_of(passed) - pool.rate) * fresh;
    }
    return any || attempts > 0;
}

void Verdicts::rank(WatchedPool& pool) {
    const auto better = [](const WatchedEndpoint& one, const WatchedEndpoint* other) {
        return other == nullptr || one.success.tally().success() > other->success.tally().success();
    };
    pool.best = pool.second_best = nullptr;
    for (const auto& endpoint : pool.endpoints) {
        if (endpoint->success.tally().samples() < limits::success_samples) continue;
        if (better(*endpoint, pool.best)) {
            pool.second_best = std::exchange(pool.best, endpoint.get());
        } else if (better(*endpoint, pool.second_best)) {
            pool.second_best = endpoint.get();
        }
    }
}

void Verdicts::add_heads(WatchedPool& pool, WatchedEndpoint& endpoint, std::uint64_t fresh,
                         Duration passed) {
    std::uint64_t count = 0;
    double mean = 0;
    if (fresh > 0) {  // else there is nothing new in the histogram
        const LatencyWindow::LogSum sum = endpoint.state().heads.log_sum();
        if (sum.count > endpoint.heads.count) {
            count = sum.count - endpoint.heads.count;
            mean = (sum.logs - endpoint.heads.logs) / static_cast<double>(count);
        }
        endpoint.heads = sum;
    }
    const bool like_peers = pool.median_us <= 0 || times_slower(endpoint.latency.recent(),
                                                                pool.median_us) <= limits::slow_own;
    endpoint.latency.add(count, mean, passed, like_peers);
}

/// The pool's middle endpoints: the lower median, so that of two the better one is the measure.
/// Only who is in and answers well is one: a quick error is no answer, and what an endpoint took
/// before it was lost says nothing about those that have its load now.
void Verdicts::compare(WatchedPool& pool) {
    std::vector<double> slower, recent;
    std::size_t in = 0, active = 0;
    pool.promise = {};
    for (const auto& endpoint : pool.endpoints) {
        if (endpoint->in_service) ++active;
        const bool good = endpoint->standing() == Standing::in;
        if (good && endpoint->state().score.load(std::memory_order_relaxed) >= 0.5F) {
            ++in;
            const Tally& tally = endpoint->success.tally();
            if (tally.samples() < limits::success_samples) {
                const Tally could = filled_up(tally);
                const bool first = pool.promise.samples() == 0;
                if (first || could.success() > pool.promise.success()) pool.promise = could;
            }
        }
        const bool answers = endpoint->state().success_part.load(std::memory_order_relaxed) >= 0.5F;
        if (!good || !answers || !endpoint->latency.known()) continue;
        slower.push_back(endpoint->latency.against_usual());
        recent.push_back(endpoint->latency.recent());
    }
    const auto median = [](std::vector<double>& values, double otherwise) {
        if (values.empty()) return otherwise;
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    };
    pool.well = in > 0 && 2 * in >= active;
    pool.slower = median(slower, pool.well ? 1 : 0);
    pool.median_us = median(recent, 0);
}

PeerEvidence Verdicts::peers_of(const WatchedPool& pool, const WatchedEndpoint& endpoint) const {
    PeerEvidence peers;
    FreshAnswers all;
    const auto hear = [&](const Tally& tally, const FreshAnswers& fresh, std::int64_t last_answer) {
        peers.last_answer = std::max(peers.last_answer, last_answer);
        all += fresh;
        if (tally.samples() > 0 &&
            (peers.best_samples == 0 || tally.success() > peers.best_success)) {
            peers.best_success = tally.success();
            peers.best_samples = tally.samples();
        }
    };
    const bool newest = endpoint.before.last_answer == pool.newest_answer;
    // One that does well among many that fail shows that it can be done.
    const WatchedEndpoint* best = pool.best != &endpoint ? pool.best : pool.second_best;
    hear(best != nullptr ? best->success.tally() : pool.tally - endpoint.success.tally(),
         pool.fresh - endpoint.fresh, newest ? pool.second_answer : pool.newest_answer);
    for (const WatchedPool* other : pool.related)
        hear(other->tally, other->fresh, other->newest_answer);
    peers.fresh = all.measure();
    return peers;
}

/// Whether one more of the pool's endpoints may be out for what is not silence or refusal: while
/// every route of the pool has another one that is well, all; else up to max_ejected.
bool Verdicts::may_eject(const WatchedPool& pool) const {
    const bool covered =
        !pool.routes.empty() &&
        std::all_of(pool.routes.begin(), pool.routes.end(), [](const auto& others) {
            return std::any_of(others.begin(), others.end(),
                               [](const WatchedPool* other) { return other->well; });
        });
    if (covered) return true;
    std::size_t active = 0, out = 0;
    for (const auto& endpoint : pool.endpoints) {
        const Standing standing = endpoint->standing();
        if (standing != Standing::in && !out_by_verdict(standing)) continue;
        ++active;
        if (endpoint->outlier.ejected() || endpoint->checks_fail()) ++out;
    }
    return static_cast<double>(out + 1) <=
           pool.config.outlier.max_ejected * static_cast<double>(active) + 1e-9;
}

/// Ejections and returns. True if a suspicion waits for the others' word.
bool Verdicts::judge_traffic(WatchedPool& pool, TimePoint now) {
    const config::Outlier& rules = pool.config.outlier;
    bool waits = false, moved = false;
    for (const auto& endpoint : pool.endpoints) {
        OutlierDetector& outlier = endpoint->outlier;
        if (outlier.ejected() &&
            (!rules.enabled || outlier.returns(endpoint->before, endpoint->revived, now))) {
            come_back(pool, *endpoint, now);
            moved = true;
        }
        if (endpoint->ramp.unproven() && outlier.answered_since(endpoint->before)) {
            endpoint->ramp.proven();
            moved = true;
        }
        outlier.forgive(rules.ejection, now);
        if (outlier.ejected()) continue;
        const std::optional<Suspicion> suspicion = outlier.suspect(
            endpoint->before, endpoint->success.tally(), peers_of(pool, *endpoint), rules, now);
        waits |= outlier.waits();
        if (!suspicion || (!suspicion->unbounded() && !may_eject(pool))) continue;
        eject(pool, *endpoint, *suspicion, now);
        moved = true;
    }
    if (moved) resize(pool, true, now);
    return waits;
}

void Verdicts::eject(WatchedPool& pool, WatchedEndpoint& endpoint, const Suspicion& suspicion,
                     TimePoint now) {
    const Duration span = endpoint.outlier.eject(suspicion.reason, endpoint.before,
                                                 pool.config.outlier.ejection, now);
    endpoint.revived = false;
    endpoint.eject_why = fmt::format("{}, for {:g} s", suspicion.why, seconds_of(span));
    endpoint.state().ejections.fetch_add(1, std::memory_order_relaxed);
    ++pool.ejections[static_cast<std::size_t>(suspicion.reason)];
}

/// What it was ejected for is forgotten: it is judged anew, and by what comes now.
void Verdicts::come_back(WatchedPool& pool, WatchedEndpoint& endpoint, TimePoint now) {
    if (endpoint.outlier.ejected()) endpoint.outlier = {};  // ejection was turned off
    endpoint.success = {};
    endpoint.announced_low = false;  // its return is said already
    endpoint.ramp.begin(now, std::min<Duration>(pool.config.slow_start, limits::return_ramp), true);
}

TimePoint Verdicts::next_look(bool traffic, bool moving, bool waits, TimePoint now) {
    if (traffic || moving) busy_ = now;
    if (now - busy_ < limits::health_rest) {
        return now + (waits ? Duration(limits::health_look_again) : limits::health_look);
    }
    TimePoint next = never;
    for (const auto& [pool, until] : failed_)
        next = std::min(next, until);
    for (const auto& pool : pools_) {
        for (const auto& endpoint : pool->endpoints) {
            if (endpoint->outlier.ejected()) next = std::min(next, endpoint->outlier.until());
        }
    }
    return next == never ? never : std::max(next, now + limits::health_look_again);
}

}  // namespace scrollgate
