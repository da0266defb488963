// EndpointWatch: keeps the pools' endpoint sets true to the configuration and to DNS.
//
// Names are asked at the start and again when their TTL is over (5 s to 5 min; 5 min for what has
// none, like /etc/hosts). A failure or an empty answer keeps the last known good addresses and is
// tried again after 5 s, then twice as long each time, at most 60 s. A set is immutable; a new one
// is made only if something in it differs, and it takes over the Endpoints that stay the same.
// Control thread only. With nothing but IP literals it sets no alarm and asks nobody.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "core/clock.hpp"
#include "core/net/alarm.hpp"
#include "core/net/resolver.hpp"

namespace scrollgate {

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
    /// not called for what changes here. Names that stay keep their addresses and their turn.
    void update(const config::Config& config);

    /// Every configured pool's current set, never null; empty while nothing is known.
    [[nodiscard]] const PoolSets& sets() const noexcept { return sets_; }

  private:
    struct Name {
        std::vector<SocketAddress> addresses{};  ///< last known good, sorted; port 0
        TimePoint due{};                         ///< when to ask again
        unsigned failures = 0;                   ///< in a row
        bool asking = false;
    };

    void ask_due();
    void answered(const std::string& host, const Resolver::Answer& answer);
    void set_alarm();
    [[nodiscard]] std::string pools_with(const std::string& host) const;
    [[nodiscard]] bool rebuild(const config::Pool& pool);
    [[nodiscard]] std::vector<SocketAddress> addresses_of(const config::Endpoint& endpoint) const;

    Resolver& resolver_;
    EndpointRegistry& registry_;
    const Clock& clock_;
    Alarm& alarm_;
    OnChange on_change_;
    std::vector<config::Pool> pools_;
    std::map<std::string, Name> names_;  ///< by host in lower case
    PoolSets sets_;
    bool updating_ = false;
    std::shared_ptr<char> alive_;  ///< answers that come after our end see it gone
};

}  // namespace scrollgate
