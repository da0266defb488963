// Health: the thread that looks after the endpoints.
//
// It has an event loop of its own, on which the active checks, the probes of dependencies and the
// webhooks run, and on which Verdicts looks at what the workers have counted. It sleeps while there
// is neither traffic nor a check. Why a thread of its own: docs/decisions/0015-health.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/net/dialer.hpp"
#include "health/plans.hpp"
#include "health/scaler.hpp"
#include "health/status.hpp"

namespace scrollgate {

class Health {
  public:
    /// Gets a name's addresses (any port). Called on health's thread; `done` may be called on any
    /// thread, once, or never.
    using Resolve = std::function<void(const std::string& host,
                                       std::function<void(std::vector<SocketAddress>)> done)>;

    /// Both outlive it. Throws std::system_error if the process has no descriptor left.
    Health(const Clock& clock, Dialer& dialer, Resolve resolve);
    /// stop()s.
    ~Health();
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    // -- control thread
    void start();
    /// Ends all probes and the thread. Before what Resolve uses is gone.
    void stop();

    // -- any thread
    /// The configuration and the pools' sets from now on: at the start, on reload, when DNS has
    /// changed a set. `targets` has every dependency and webhook over TLS.
    void update(std::shared_ptr<const config::Config> config, PoolSets sets,
                ProbeTargets targets = {});
    /// Look now: report() has said so. Cheap; rings that come while one is under way are one.
    void ring() const;
    /// There is traffic. One relaxed load, unless health sleeps.
    void stir() {
        if (asleep()) ring();
    }
    /// As of about a second ago or the last change; while health sleeps older, and then this call
    /// makes it look, for the next one. Never null.
    [[nodiscard]] std::shared_ptr<const HealthStatus> status() const;

    /// What came of a command: empty, or why it is refused; and the status that shows it.
    using Done =
        std::function<void(std::string refused, std::shared_ptr<const HealthStatus> status)>;
    // Commands; `done` runs on health's thread, never after stop(). They survive a reload, not a
    // restart.
    /// Game day: treats the pool as lost for so long (no_limit: until unfail).
    void fail(std::string pool, Duration span, Done done);
    void unfail(std::string pool, Done done);
    /// `address` as in status.
    void drain(std::string pool, std::string address, Done done);
    void undrain(std::string pool, std::string address, Done done);
    /// Of one pool, or of all if `pool` is empty.
    void scale(std::string pool, ScaleWish wish, Done done);

  private:
    [[nodiscard]] bool asleep() const noexcept;

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
