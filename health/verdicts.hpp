// Verdicts: the one place that says which endpoints are in, why, and how much each is worth.
//
// All of health's logic without its thread: it is told of configuration and sets, results of
// checks, commands and the time, reads what workers have counted, and is the only writer of the
// verdict in EndpointState (standing, score, its parts, ejections) and of PoolState::epoch, which
// goes up after any change that is worth making weights anew for. Each change of a standing is one
// line to `say`. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/rng.hpp"
#include "health/panic.hpp"
#include "health/status.hpp"
#include "health/watched.hpp"

namespace scrollgate {

class Verdicts {
  public:
    using Say = std::function<void(const std::string& line)>;

    /// `rng` outlives it.
    Verdicts(Rng& rng, Say say) : rng_(rng), say_(std::move(say)) {}

    /// The configuration and the pools' sets from now on. What is known by identity stays: an
    /// endpoint's history while it is in a set, drains and failed pools in any case. Endpoints that
    /// join later than their pool start slowly.
    void update(std::shared_ptr<const config::Config> config, const PoolSets& sets, TimePoint now);

    /// Reads all evidence, judges, writes. Returns when the next look is due: limits::health_look
    /// from now while there is traffic or something moves; `never` when all is at rest.
    TimePoint look(TimePoint now);

    // -- checks
    /// A check of this endpoint began at `began` and ended now; `why` says what came if it failed.
    /// Returns when the next is due; `never` if nobody wants one.
    TimePoint checked(const std::string& pool, const std::string& address, bool passed,
                      const std::string& why, TimePoint began, TimePoint now);
    /// The same for a pool's dependency, by its url.
    TimePoint dependency_checked(const std::string& pool, const std::string& url, bool passed,
                                 const std::string& why, TimePoint began, TimePoint now);
    /// When the first check of it is due; `never` if none is configured.
    [[nodiscard]] TimePoint check_due(const std::string& pool, const std::string& address) const;
    [[nodiscard]] TimePoint dependency_due(const std::string& pool, const std::string& url) const;
    /// Nobody could be asked, for want of something of our own (ProbeResult::starved): says nothing
    /// of the endpoint or dependency. Returns when the next check is due, an interval after
    /// `began`.
    TimePoint unchecked(const std::string& pool, const std::string& address, TimePoint began,
                        TimePoint now);
    TimePoint dependency_unchecked(const std::string& pool, const std::string& url, TimePoint began,
                                   TimePoint now);

    // -- commands; the text is empty, or why it is refused.
    /// Game day: the pool is treated as lost, for so long (no_limit: until unfail()).
    [[nodiscard]] std::string fail(const std::string& pool, Duration span, TimePoint now);
    [[nodiscard]] std::string unfail(const std::string& pool, TimePoint now);
    [[nodiscard]] std::string drain(const std::string& pool, const std::string& address,
                                    TimePoint now);
    [[nodiscard]] std::string undrain(const std::string& pool, const std::string& address,
                                      TimePoint now);
    /// One pool, or all if `pool` is empty: then all or none.
    [[nodiscard]] std::string scale(const std::string& pool, const ScaleWish& wish, TimePoint now);

    /// What is known, as of the last look.
    [[nodiscard]] HealthStatus status() const;
    /// Something of the status has changed since the last call.
    [[nodiscard]] bool take_changed() noexcept { return std::exchange(changed_, false); }
    /// Likewise, and leaves it to be taken.
    [[nodiscard]] bool changed() const noexcept { return changed_; }
    /// A pool's scale, in the file's order, that may have changed since the last call: for
    /// webhooks.
    [[nodiscard]] const std::vector<std::unique_ptr<WatchedPool>>& pools() const noexcept {
        return pools_;
    }
    /// The pool of that name, or nullptr; until the next update().
    [[nodiscard]] WatchedPool* find(const std::string& pool) const noexcept;

  private:
    // verdicts_update.cpp
    void update_endpoints(WatchedPool& pool, const std::shared_ptr<const EndpointSet>& set,
                          bool known, TimePoint now);
    [[nodiscard]] static std::unique_ptr<WatchedEndpoint> back_or_new(
        WatchedPool& pool, const std::shared_ptr<const Endpoint>& endpoint);
    static void depart(WatchedPool& pool, TimePoint now);
    void update_checks(WatchedPool& pool, TimePoint now);
    void relate();
    [[nodiscard]] WatchedEndpoint* find(const std::string& pool,
                                        const std::string& address) const noexcept;
    [[nodiscard]] std::string unknown_pool(const std::string& pool) const;

    // verdicts_scale.cpp
    [[nodiscard]] bool scale_pools(TimePoint now);
    void resize(WatchedPool& pool, bool known, TimePoint now);
    void say_scale(const WatchedPool& pool, const ScaleState& before);
    [[nodiscard]] bool is_drained(const Endpoint& endpoint) const;
    [[nodiscard]] bool would_serve(const WatchedEndpoint& endpoint) const;
    void apply_scale(WatchedPool& pool, TimePoint now);

    // verdicts_look.cpp: one pass each
    void rotate(TimePoint now);
    [[nodiscard]] bool gather(WatchedPool& pool, Duration passed);
    static void rank(WatchedPool& pool);
    void add_heads(WatchedPool& pool, WatchedEndpoint& endpoint, std::uint64_t fresh,
                   Duration passed);
    void compare(WatchedPool& pool);
    [[nodiscard]] bool judge_traffic(WatchedPool& pool, TimePoint now);
    [[nodiscard]] PeerEvidence peers_of(const WatchedPool& pool,
                                        const WatchedEndpoint& endpoint) const;
    [[nodiscard]] bool may_eject(const WatchedPool& pool) const;
    static void eject(WatchedPool& pool, WatchedEndpoint& endpoint, const Suspicion& suspicion,
                      TimePoint now);
    void come_back(WatchedPool& pool, WatchedEndpoint& endpoint, TimePoint now);

    // verdicts_write.cpp
    void settle(WatchedPool& pool, TimePoint now);
    [[nodiscard]] bool stand(WatchedPool& pool, WatchedEndpoint& endpoint, TimePoint now);
    static void explain(const WatchedPool& pool, WatchedEndpoint& endpoint);
    [[nodiscard]] double success_of(const WatchedPool& pool, const WatchedEndpoint& endpoint) const;
    [[nodiscard]] bool score(WatchedPool& pool, WatchedEndpoint& endpoint, TimePoint now);
    void account(TimePoint now);
    void account_routes(Duration passed);
    [[nodiscard]] TimePoint next_look(bool traffic, bool moving, bool waits, TimePoint now);

    Rng& rng_;
    Say say_;
    std::shared_ptr<const config::Config> config_;
    std::vector<std::unique_ptr<WatchedPool>> pools_;  ///< in the file's order
    std::map<std::string, TimePoint> failed_;          ///< pools, until when
    std::set<std::pair<std::string, std::string>> drained_;
    Availability availability_;
    PanicWatch panic_;
    TimePoint looked_{}, accounted_{}, rotated_{}, measured_{}, busy_{};  ///< when last
    bool changed_ = true;
};

}  // namespace scrollgate
