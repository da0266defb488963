// Subscription: hears what is published on some channels, and comes back by itself.
//
// A connection of its own to one node (any of a cluster's does), kept alive by PING. What is
// published while it is away is lost, as pub/sub is; `listening` tells when it was, so that the
// owner can look for itself. Messages are bounded as replies are. One loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/redis/client.hpp"

namespace scrollgate::redis {

class Subscription {
  public:
    struct Events {
        /// Both views are only valid within the call.
        std::function<void(std::string_view channel, std::string_view message)> message;
        /// True: all channels are heard from now on. False: no longer.
        std::function<void(bool on)> listening;
    };

    /// `channels` (one at least) stay as they are. No event may destroy the subscription.
    Subscription(const Surroundings& around, std::shared_ptr<const Settings> settings,
                 Credentials credentials, std::vector<std::string> channels, Events events);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// Once.
    void start();
    /// For the next connection: a live one may say little else than what it subscribes to.
    void authenticate(Credentials credentials);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace scrollgate::redis
