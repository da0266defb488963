// EndpointWatch: keeps the pools' endpoint sets true to the configuration and to DNS.
//
// Names are asked at the start and again when their TTL is over, within `dns.min_ttl` and
// `dns.max_ttl` (max_ttl for what has none, like /etc/hosts). A failure or an empty answer keeps
// the last known good addresses and is tried again after min_ttl, then twice as long each time, at
// most limits::dns_retry_max and max_ttl; so does one that tells of IPv4 or IPv6 alone, with those
// of the other.
//
// A set is immutable; a new one is made only if something in it differs, and it takes over the
// Endpoints that stay the same. An address that leaves is in no further set. If a set would shrink
// by more than half by DNS at once, it is held: new ones join, nobody leaves, until
// limits::shrink_hold is over, or all that would leave are out anyway, or an answer brings enough
// of them back. What a reload takes away is never held.
//
// Control thread only. With nothing but IP literals it sets no alarm and asks nobody.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/net/alarm.hpp"
#include "core/net/resolver.hpp"

namespace scrollgate {

/// What connections to a pool's endpoints have in common under TLS.
struct PoolContext {
    std::shared_ptr<const TlsClientContext> context;
    std::shared_ptr<const TlsClientContext> http1{};  ///< where `context` offers HTTP/2, too
};
/// By the pool's name.
using PoolContexts = std::map<std::string, PoolContext>;

class EndpointWatch {
  public:
    /// Told about a pool's new set, when DNS has changed it. Must not call update().
    using OnChange =
        std::function<void(const std::string& pool, std::shared_ptr<const EndpointSet> set)>;

    /// All references outlive the watch; the alarm is the watch's alone. Does nothing yet.
    EndpointWatch(Resolver& resolver, EndpointRegistry& registry, const Clock& clock, Alarm& alarm,
                  OnChange on_change);
    ~EndpointWatch();
    EndpointWatch(const EndpointWatch&) = delete;
    EndpointWatch& operator=(const EndpointWatch&) = delete;

    /// The configuration from now on; at the start and on reload. sets() is right when it returns:
    /// complete for IP literals and known names, while new names are being asked; `on_change` is
    /// not called for what changes here. Names that stay keep their addresses and their turn,
    /// unless the name servers are others now: then all are asked at once.
    /// `tls` has a context for every pool with an https:// endpoint.
    void update(const config::Config& config, const PoolContexts& tls = {});

    /// Every configured pool's current set, never null; empty while nothing is known. Endpoints in
    /// service stand before those on standby.
    [[nodiscard]] const PoolSets& sets() const noexcept { return sets_; }

  private:
    using Addresses = std::map<std::string, std::vector<SocketAddress>>;  ///< by name; port 0
    struct Name {
        std::vector<SocketAddress> addresses{};  ///< last known good, sorted; port 0
        TimePoint due{};                         ///< when to ask again
        unsigned failures = 0;                   ///< in a row
        bool asking = false;
    };
    /// Standbys are counted apart: they are no consolation for the endpoints that leave.
    struct Sizes {
        std::size_t active = 0, standby = 0;

        [[nodiscard]] static Sizes of(const EndpointSet& set) noexcept;
        [[nodiscard]] bool less_than_half(const Sizes& had, bool standbys) const noexcept {
            return standbys ? 2 * standby < had.standby : 2 * active < had.active;
        }
    };
    /// Endpoints that DNS has taken from a pool and that stay for the time being.
    struct Hold {
        TimePoint until{};
        Sizes had;  ///< of the set before
        Addresses kept;
    };

    void ask_due();
    void answered(const std::string& host, const Resolver::Answer& answer);
    void failed(const std::string& host, Name& name, const Resolver::Answer& answer);
    void look_at_holds();
    void set_alarm();
    [[nodiscard]] std::string pools_with(const std::string& host) const;
    [[nodiscard]] bool rebuild(const config::Pool& pool);
    void hold(const config::Pool& pool, const EndpointSet& before, EndpointSet& set);
    [[nodiscard]] EndpointSet made_of(const config::Pool& pool, const EndpointSet& before,
                                      const Addresses* kept);
    struct Target {
        std::shared_ptr<const TlsTarget> tls, http1;
    };
    [[nodiscard]] Target target_of(const config::Pool& pool, const config::Endpoint& endpoint);
    [[nodiscard]] std::vector<SocketAddress> addresses_of(const config::Endpoint& endpoint,
                                                          const Addresses* kept) const;

    Resolver& resolver_;
    EndpointRegistry& registry_;
    const Clock& clock_;
    Alarm& alarm_;
    OnChange on_change_;
    config::Dns dns_;
    std::vector<config::Pool> pools_;
    std::map<std::string, Name> names_;  ///< by host in lower case
    std::map<std::string, Hold> holds_;  ///< by pool
    PoolSets sets_;
    PoolContexts contexts_;
    /// By pool and server name, so that a target stays itself while the configuration does.
    std::map<std::pair<std::string, std::string>, Target> targets_;
    bool updating_ = false;
    std::shared_ptr<char> alive_;  ///< answers that come after our end see it gone
};

}  // namespace scrollgate
