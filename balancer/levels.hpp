// RouteBalancer: from a route's pools to one endpoint.
//
// A pick chooses a level by load (weights.hpp), in it a group by the splits' exact shares, in the
// group a target by the route's policy. What is used up (every target of it tried) hands over: a
// group to the level's others, a level to those after it, then to those before it. After a failure
// the endpoints come last that a subset leaves to other nodes, then those that verdicts have put
// out: they may be back, and the request would be lost for certain. While all that a level would
// choose has gone silent, others are asked.
//
// When nothing is eligible in any level, that is panic: all that are out by a verdict alone are
// tried, as if they were well, because a request that is refused for certain is worse than one that
// probably fails. What somebody took out by will (standby, drain, game day) stays out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "balancer/endpoint.hpp"
#include "balancer/policy.hpp"
#include "balancer/shares.hpp"
#include "balancer/targets.hpp"
#include "balancer/weights.hpp"
#include "config/model.hpp"
#include "core/rng.hpp"

namespace scrollgate {

/// Chooses endpoints for one route on one worker. That worker's thread only.
class RouteBalancer {
  public:
    /// Has no targets until update(). `self` with the node's name, and `pools`, say what is near
    /// and which endpoints are this node's (RouteLayout). Keeps no reference to any of them.
    explicit RouteBalancer(const config::Route& route, const config::Self& self = {},
                           std::span<const config::Pool> pools = {});

    /// The pools' current sets, at the start and whenever one of them changes. What the policies
    /// remember about an endpoint's identity stays.
    void update(const PoolSets& sets);

    /// An endpoint for the next attempt, or null if all that may be used were tried (or there is
    /// none). Tried ones are recognised by identity, so they may come from before an update().
    /// What is returned lives as long as targets() of this moment is held. Sees the verdicts of the
    /// moment: weights are made anew if a pool's epoch has changed. Allocates nothing.
    [[nodiscard]] const Endpoint* pick(const PickRequest& request, Rng& rng);

    /// Nothing is well at this moment: there is no endpoint to pick, or only such as verdicts have
    /// put out. Allocates nothing.
    [[nodiscard]] bool nothing_is_well();

    /// Nothing is well: picks try what verdicts have put out. As of the last pick or update().
    [[nodiscard]] bool panicking() const noexcept { return panicking_; }

    /// Never null. An Exchange holds a copy from its first pick to its log event; the count it
    /// touches belongs to this worker alone.
    [[nodiscard]] const std::shared_ptr<const RouteTargets>& targets() const noexcept {
        return targets_;
    }

  private:
    using Identity = std::pair<const EndpointState*, std::uint32_t>;  ///< with its place in row_

    [[nodiscard]] std::uint64_t epochs() const noexcept;
    void see_verdicts();
    void weigh_all();
    void divide_loads();
    [[nodiscard]] std::span<const Target> group(std::size_t index) const noexcept;
    [[nodiscard]] std::span<const Identity> places_of(const EndpointState* state) const noexcept;
    void mark(std::span<const Endpoint* const> tried, bool to) noexcept;
    template <typename Is, typename Choose>
    const Endpoint* passing_over(const Is& is, const PickRequest& request, const Choose& choose);
    /// Those of `zone` in it; if that is empty, all.
    void mark_pool(const PoolState& pool, std::string_view zone, bool to) noexcept;
    [[nodiscard]] bool has_another_zone(const Endpoint& than) const noexcept;
    [[nodiscard]] const Endpoint* last_resort(const PickRequest& request, const Endpoint* chosen,
                                              Rng& rng);
    [[nodiscard]] const Endpoint* choose_answering(const PickRequest& request, Rng& rng);
    [[nodiscard]] const Endpoint* look_beyond(const PoolState& pool, TimePoint now) const noexcept;
    [[nodiscard]] const Endpoint* below_level(const Endpoint& failing, const PickRequest& request,
                                              Rng& rng);
    [[nodiscard]] const Endpoint* beyond_subsets(TimePoint now) const noexcept;
    [[nodiscard]] std::optional<std::uint32_t> beyond_subset(std::size_t pool,
                                                             TimePoint now) const noexcept;
    [[nodiscard]] bool is_left_out(std::uint32_t place) const noexcept;
    [[nodiscard]] const Endpoint* put_out() const noexcept;
    [[nodiscard]] const Endpoint* wish(const EndpointState* state) const noexcept;
    [[nodiscard]] double point(const PickRequest& request, std::uint64_t salt, Rng& rng) const;
    [[nodiscard]] const Endpoint* choose_but(const PickRequest& request,
                                             std::span<const PoolState* const> avoid,
                                             bool from_zone, Rng& rng);
    [[nodiscard]] const Endpoint* choose(const PickRequest& request, Rng& rng);
    [[nodiscard]] const Endpoint* from_level(std::size_t level, const PickRequest& request,
                                             Rng& rng);
    [[nodiscard]] const Endpoint* from_group(std::size_t index, const PickRequest& request,
                                             Rng& rng);

    RouteLayout layout_;
    bool by_key_;  ///< consistent_hash: a key's level and group are its own, too
    std::shared_ptr<const RouteTargets> targets_;
    std::vector<Target> row_;
    std::unique_ptr<bool[]> marks_;     ///< by place in row_: tried; all false between picks
    std::vector<Identity> identities_;  ///< sorted
    std::vector<const PoolState*> pools_;
    std::vector<std::unique_ptr<Policy>> policies_;  ///< by group
    std::vector<GroupHealth> health_;                ///< by group
    std::vector<Shares> splits_;                     ///< by level: among its groups
    Shares loads_;                                   ///< among the levels
    std::vector<double> scratch_;
    std::uint64_t epochs_seen_ = 0;
    bool panicking_ = false;
};

}  // namespace scrollgate
