#include "balancer/levels.hpp"

#include <algorithm>

#include "balancer/hash.hpp"
#include "core/limits.hpp"

namespace scrollgate {
namespace {

/// One that has come back from an ejection is to show whether it still is silent: none until then.
bool is_silent(const Endpoint& endpoint) noexcept {
    const EndpointState& state = *endpoint.state;
    return state.gone_silent() && state.ramp_part.load(std::memory_order_relaxed) >= 1;
}

/// A hedge would go to one that owes an answer itself, as all do that this node uses: of a subset
/// that has frozen as a whole nobody else would ever find out.
bool all_owe(const PickRequest& request, const Endpoint* chosen, std::span<const Target> row) {
    const auto owes_or_rests = [](const Target& target) {
        return target.weight <= 0 || target.endpoint->state->missed_one();
    };
    return request.stage == PickRequest::Stage::beside &&
           (chosen == nullptr || chosen->state->missed_one()) &&
           std::ranges::all_of(row, owes_or_rests);
}

}  // namespace

RouteBalancer::RouteBalancer(const config::Route& route, const config::Self& self,
                             std::span<const config::Pool> pools)
    : layout_(route, self, pools),
      by_key_(route.balance == config::Route::Balance::consistent_hash),
      splits_(layout_.levels().size()) {
    for (std::size_t i = 0; i < layout_.groups().size(); ++i)
        policies_.push_back(make_policy(route.balance));
    update({});
}

// ---- what changes

void RouteBalancer::update(const PoolSets& sets) {
    targets_ = std::make_shared<RouteTargets>(layout_, sets);
    row_.assign(targets_->row().begin(), targets_->row().end());
    marks_ = std::make_unique<bool[]>(row_.size());
    identities_.clear();
    pools_.clear();
    for (std::size_t i = 0; i < row_.size(); ++i) {
        identities_.emplace_back(row_[i].endpoint->state.get(), static_cast<std::uint32_t>(i));
        pools_.push_back(row_[i].endpoint->pool_state.get());
    }
    std::ranges::sort(identities_);
    std::ranges::sort(pools_);
    const auto repeated = std::ranges::unique(pools_);
    pools_.erase(repeated.begin(), repeated.end());

    epochs_seen_ = epochs();
    weigh_all();
    for (std::size_t i = 0; i < policies_.size(); ++i)
        policies_[i]->changed(group(i));
}

std::uint64_t RouteBalancer::epochs() const noexcept {
    std::uint64_t sum = 0;
    for (const PoolState* pool : pools_)
        sum += pool->epoch.load(std::memory_order_acquire);
    return sum;
}

void RouteBalancer::weigh_all() {
    const auto live = [](const GroupHealth& one) { return one.live; };
    weigh(row_, *targets_, layout_, false, health_);
    panicking_ = false;
    if (!std::ranges::any_of(health_, live)) {
        weigh(row_, *targets_, layout_, true, health_);
        panicking_ = std::ranges::any_of(health_, live);
    }
    divide_loads();
}

void RouteBalancer::divide_loads() {
    for (std::size_t l = 0; l < layout_.levels().size(); ++l) {
        const RouteLayout::Level& level = layout_.levels()[l];
        scratch_.clear();
        for (std::size_t g = level.begin; g < level.end; ++g)
            scratch_.push_back(health_[g].live ? layout_.groups()[g].share : 0);
        splits_[l].assign(scratch_);
        if (!splits_[l].empty()) continue;
        // Only groups without a share of their own are left.
        for (std::size_t g = level.begin; g < level.end; ++g)
            scratch_[g - level.begin] = health_[g].live ? 1 : 0;
        splits_[l].assign(scratch_);
    }

    scratch_.assign(layout_.levels().size(), 0);
    for (std::size_t l = 0; l < scratch_.size(); ++l) {
        if (!panicking_) {
            scratch_[l] = availability(layout_, l, health_);
            continue;
        }
        // Nobody knows which of them may work: all are tried, by weight.
        const RouteLayout::Level& level = layout_.levels()[l];
        for (std::size_t g = level.begin; g < level.end; ++g)
            scratch_[l] += health_[g].well;
    }
    if (!panicking_) spill(scratch_);
    loads_.assign(scratch_);
}

// ---- a pick

void RouteBalancer::see_verdicts() {
    const std::uint64_t now = epochs();
    if (now == epochs_seen_) return;
    epochs_seen_ = now;
    weigh_all();
    for (std::size_t i = 0; i < policies_.size(); ++i)
        policies_[i]->reweighed(group(i));
}

bool RouteBalancer::nothing_is_well() {
    see_verdicts();
    return panicking_ || loads_.empty();
}

const Endpoint* RouteBalancer::pick(const PickRequest& request, Rng& rng) {
    see_verdicts();
    if (loads_.empty()) return nullptr;
    const Endpoint* const away = request.away_from;
    const bool from_zone = away != nullptr && has_another_zone(*away);
    const Endpoint* chosen = nullptr;
    if (!request.avoid.empty()) chosen = choose_but(request, request.avoid, from_zone, rng);
    if (chosen == nullptr && from_zone) chosen = choose_but(request, {}, true, rng);
    if (chosen != nullptr && !all_owe(request, chosen, row_)) return chosen;
    mark(request.tried, true);
    if (request.stick != nullptr) chosen = wish(request.stick->state.get());
    if (chosen == nullptr) chosen = choose(request, rng);
    chosen = last_resort(request, chosen, rng);
    mark(request.tried, false);
    return chosen;
}

/// One of no pool in `avoid`, and, if `from_zone`, not of the zone that is left; null: there is no
/// such.
const Endpoint* RouteBalancer::choose_but(const PickRequest& request,
                                          std::span<const PoolState* const> avoid, bool from_zone,
                                          Rng& rng) {
    const auto mark_all = [&](bool to) {
        for (const PoolState* pool : avoid)
            mark_pool(*pool, {}, to);
        if (from_zone) mark_pool(*request.away_from->pool_state, request.away_from->zone, to);
        mark(request.tried, to);
    };
    mark_all(true);
    const Endpoint* const chosen = choose(request, rng);
    mark_all(false);
    return chosen;
}

const Endpoint* RouteBalancer::choose(const PickRequest& request, Rng& rng) {
    const std::size_t levels = splits_.size();
    const std::size_t first = levels == 1 ? 0 : loads_.at(point(request, 1, rng));
    for (std::size_t l = first; l < levels; ++l) {
        if (const Endpoint* chosen = from_level(l, request, rng)) return chosen;
    }
    for (std::size_t l = 0; l < first; ++l) {
        if (const Endpoint* chosen = from_level(l, request, rng)) return chosen;
    }
    return nullptr;
}

const Endpoint* RouteBalancer::from_level(std::size_t level, const PickRequest& request, Rng& rng) {
    if (splits_[level].empty()) return nullptr;
    const RouteLayout::Level& of = layout_.levels()[level];
    const std::size_t count = of.end - of.begin;
    if (count == 1) return from_group(of.begin, request, rng);
    // The account of the exact shares is of requests; what they try after a failure is beside it.
    const bool counts =
        !request.counted && request.tried.empty() && !(by_key_ && request.hash != 0);
    std::size_t at = counts ? splits_[level].next() : splits_[level].at(point(request, 2, rng));
    for (std::size_t step = 0; step < count; ++step) {
        if (const Endpoint* chosen = from_group(of.begin + at, request, rng)) return chosen;
        at = at + 1 == count ? 0 : at + 1;
    }
    return nullptr;
}

const Endpoint* RouteBalancer::from_group(std::size_t index, const PickRequest& request, Rng& rng) {
    const RouteTargets::Span span = targets_->group(index);
    const std::span<const bool> tried(marks_.get() + span.begin, span.end - span.begin);
    const auto chosen = policies_[index]->pick(group(index), tried, request, rng);
    return chosen ? row_[span.begin + *chosen].endpoint : nullptr;
}

/// Where in [0, 1) this request stands: by its key if the policy goes by keys, else by chance.
double RouteBalancer::point(const PickRequest& request, std::uint64_t salt, Rng& rng) const {
    if (by_key_ && request.hash != 0) return unit_point(mix64(request.hash + salt));
    return unit_interval(rng);
}

std::span<const Target> RouteBalancer::group(std::size_t index) const noexcept {
    const RouteTargets::Span span = targets_->group(index);
    return std::span(row_).subspan(span.begin, span.end - span.begin);
}

/// One identity has several places if a pool stands in the route more than once.
std::span<const RouteBalancer::Identity> RouteBalancer::places_of(
    const EndpointState* state) const noexcept {
    const auto found = std::ranges::equal_range(identities_, state, {}, &Identity::first);
    return {found.begin(), found.end()};
}

void RouteBalancer::mark(std::span<const Endpoint* const> tried, bool to) noexcept {
    for (const Endpoint* endpoint : tried) {
        for (const auto& [state, place] : places_of(endpoint->state.get()))
            marks_[place] = to;
    }
}

void RouteBalancer::mark_pool(const PoolState& pool, std::string_view zone, bool to) noexcept {
    for (std::size_t i = 0; i < row_.size(); ++i) {
        const Endpoint& endpoint = *row_[i].endpoint;
        if (endpoint.pool_state.get() == &pool && (zone.empty() || endpoint.zone == zone))
            marks_[i] = to;
    }
}

/// What `choose` finds while those of whom `is` holds are passed over, beside the tried ones.
template <typename Is, typename Choose>
const Endpoint* RouteBalancer::passing_over(const Is& is, const PickRequest& request,
                                            const Choose& choose) {
    for (std::size_t i = 0; i < row_.size(); ++i)
        if (is(*row_[i].endpoint)) marks_[i] = true;
    const Endpoint* const chosen = choose();
    // Of whom it holds by now may be others: all marks go but those of before.
    std::fill_n(marks_.get(), row_.size(), false);
    mark(request.tried, true);
    return chosen;
}

/// Else another level, of a lower priority, would be the nearest other zone.
bool RouteBalancer::has_another_zone(const Endpoint& than) const noexcept {
    if (than.zone.empty()) return false;
    return std::ranges::any_of(row_, [&](const Target& target) {
        const Endpoint& other = *target.endpoint;
        return target.weight > 0 && other.pool_state.get() == than.pool_state.get() &&
               other.zone != than.zone;
    });
}

/// For an attempt that nobody is left for, or only who has gone silent or gives errors. Nor are
/// others of a subset the right ones for a third attempt, nor for one beside others where all of
/// them have missed an answer. Not where everybody is merely full: a subset is there to bound
/// connections.
const Endpoint* RouteBalancer::last_resort(const PickRequest& request, const Endpoint* chosen,
                                           Rng& rng) {
    const bool first = request.stage == PickRequest::Stage::first;
    const bool failed = request.stage == PickRequest::Stage::after_failure;
    if (all_owe(request, chosen, row_)) {
        if (const Endpoint* const beyond = beyond_subsets(request.now)) return beyond;
    }
    if (chosen != nullptr && is_silent(*chosen)) {
        // One in a few goes there all the same: its answer alone can show that it is back.
        if (first && rng.below(limits::silent_tries) == 0) return chosen;
        // Nobody else would find out that others answer: health waits for their word.
        if (const Endpoint* const other = choose_answering(request, rng)) return other;
    } else if (chosen != nullptr) {
        // Whether others share them shows only where somebody asks, beyond the subset or the level.
        if (first && chosen->state->gives_errors(request.now) &&
            rng.below(limits::error_tries) == 0) {
            const Endpoint* other = look_beyond(*chosen->pool_state, request.now);
            if (other == nullptr) other = below_level(*chosen, request, rng);
            return other != nullptr ? other : chosen;
        }
        if (!failed || request.tried.size() < 2) return chosen;
    } else if (!failed) {
        return nullptr;
    }
    if (const Endpoint* const beyond = beyond_subsets(request.now)) return beyond;
    return chosen == nullptr && failed ? put_out() : chosen;
}

/// One that has not gone silent, of whichever level; null: all have.
const Endpoint* RouteBalancer::choose_answering(const PickRequest& request, Rng& rng) {
    return passing_over(is_silent, request, [&] { return choose(request, rng); });
}

/// One that a verdict has put out, and that may be back, as in a rolling restart: it refused
/// connections or gave errors, which it will do at once if it still does. Silence would cost time.
const Endpoint* RouteBalancer::put_out() const noexcept {
    const auto may_be_back = [](const EndpointState& state) {
        constexpr auto relaxed = std::memory_order_relaxed;
        if (state.missed_one()) return false;
        const Standing standing = state.standing.load(relaxed);
        return standing == Standing::ejected ||
               (standing == Standing::unhealthy && state.refused_run.load(relaxed) > 0);
    };
    for (std::size_t i = 0; i < row_.size(); ++i) {
        if (!marks_[i] && row_[i].base > 0 && may_be_back(*row_[i].endpoint->state))
            return row_[i].endpoint;
    }
    return nullptr;
}

/// Of `pool`, what this node leaves to others while its own part of it serves, if all of that part
/// gives errors.
const Endpoint* RouteBalancer::look_beyond(const PoolState& pool, TimePoint now) const noexcept {
    const auto fails = [&](std::uint32_t place) {
        return row_[place].weight <= 0 || row_[place].endpoint->state->gives_errors(now);
    };
    for (std::size_t i = 0; i < layout_.pools().size(); ++i) {
        const std::span<const std::uint32_t> all = targets_->pool(i);
        if (all.empty() || row_[all.front()].endpoint->pool_state.get() != &pool) continue;
        if (!std::ranges::all_of(all, fails)) continue;
        if (const auto place = beyond_subset(i, now)) return row_[*place].endpoint;
    }
    return nullptr;
}

/// One of a lower level that gives no errors, if all of the level of `failing` do.
const Endpoint* RouteBalancer::below_level(const Endpoint& failing, const PickRequest& request,
                                           Rng& rng) {
    const auto places = places_of(failing.state.get());
    if (places.empty()) return nullptr;
    const std::size_t level = layout_.groups()[targets_->group_of(places.front().second)].level;
    for (std::size_t i = 0; i < row_.size(); ++i) {
        const bool same = layout_.groups()[targets_->group_of(i)].level == level;
        if (same && row_[i].weight > 0 && !row_[i].endpoint->state->gives_errors(request.now))
            return nullptr;
    }
    const auto bad = [&](const Endpoint& one) {
        return is_silent(one) || one.state->gives_errors(request.now);
    };
    return passing_over(bad, request, [&] {
        const Endpoint* chosen = nullptr;
        for (std::size_t l = level + 1; l < splits_.size() && chosen == nullptr; ++l)
            chosen = from_level(l, request, rng);
        return chosen;
    });
}

/// As look_beyond() of any pool that has a subset, whatever its own part gives; the first level's.
const Endpoint* RouteBalancer::beyond_subsets(TimePoint now) const noexcept {
    std::optional<std::uint32_t> best;
    for (std::size_t i = 0; i < layout_.pools().size(); ++i) {
        const auto place = beyond_subset(i, now);
        if (!place) continue;
        if (!best || targets_->group_of(*place) < targets_->group_of(*best)) best = place;
    }
    return best ? row_[*best].endpoint : nullptr;
}

/// The first that is in, in the order in which this node would use them, as far as one request
/// goes.
std::optional<std::uint32_t> RouteBalancer::beyond_subset(std::size_t pool,
                                                          TimePoint now) const noexcept {
    const auto eligible = [&](std::uint32_t place) {
        const Endpoint& endpoint = *row_[place].endpoint;
        return !marks_[place] && is_left_out(place) && !is_silent(endpoint) &&
               !endpoint.state->gives_errors(now);
    };
    const std::span<const std::uint32_t> all = targets_->pool(pool);
    const std::size_t reach = layout_.pools()[pool].subset + std::size_t{limits::turned_away_most};
    const auto members = all.first(std::min(all.size(), reach));
    const auto first = std::ranges::find_if(members, eligible);
    return first != members.end() ? std::optional(*first) : std::nullopt;
}

/// A subset alone keeps requests from it.
bool RouteBalancer::is_left_out(std::uint32_t place) const noexcept {
    const RouteLayout::Pool& pool = layout_.pools()[targets_->pool_of(place)];
    const Endpoint& endpoint = *row_[place].endpoint;
    return pool.subset > 0 && pool.weight > 0 && row_[place].weight <= 0 && endpoint.weight > 0 &&
           endpoint.state->standing.load(std::memory_order_relaxed) == Standing::in;
}

/// A subset keeps no session from its home, which another node may have chosen; errors that the
/// others do not give do.
const Endpoint* RouteBalancer::wish(const EndpointState* state) const noexcept {
    if (state->is_bad_home()) return nullptr;
    for (const auto& [identity, place] : places_of(state)) {
        if (!marks_[place] && (row_[place].weight > 0 || is_left_out(place)))
            return row_[place].endpoint;
    }
    return nullptr;
}

}  // namespace scrollgate
