// Fleet: this process among others that share a Redis: the tier behind the memory, and purges that
// reach all of them (decision 24). Not there without `cache.redis`.
//
// Owned by the Server, outlives the workers. Each worker has a FleetSeat: its client, and its end
// of the tier; the first worker's has the log of purges, and hears of leases, too. Any thread,
// where it says nothing else.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "cache/redis/client.hpp"
#include "cache/redis/loop_resolver.hpp"
#include "cache/redis/subscription.hpp"
#include "cache/tier/fleet_log.hpp"
#include "cache/tier/remote_log.hpp"
#include "cache/tier/tier.hpp"
#include "core/net/alarm.hpp"

namespace scrollgate {

class Fleet;

/// Another cloud whose log is followed (`purge_log`). Control thread; what it points to, any.
struct OtherCloud {
    std::shared_ptr<const redis::Settings> settings;
    redis::CredentialSource credentials;
    std::unique_ptr<redis::Statistics> reading = std::make_unique<redis::Statistics>(),
                                       writing = std::make_unique<redis::Statistics>();
    std::unique_ptr<tier::RemoteState> state = std::make_unique<tier::RemoteState>();
};

/// One worker's part. Its thread, but for the making; destroyed when its loop has run out.
class FleetSeat {
  public:
    FleetSeat(Fleet& fleet, EventLoop& loop, bool first, redis::Statistics& statistics,
              redis::Statistics* of_log);
    ~FleetSeat();
    FleetSeat(const FleetSeat&) = delete;
    FleetSeat& operator=(const FleetSeat&) = delete;

    void start();
    /// Whatever is under way ends soon, in the loop's next turns.
    void stop() noexcept;
    [[nodiscard]] tier::Tier& tier() noexcept { return *tier_; }
    [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] bool has_log() const noexcept { return log_ != nullptr; }

    // For Fleet, by a post.
    void authenticate(const redis::Credentials& credentials);
    void authenticate(std::size_t other, const redis::Credentials& credentials);
    void say(Purge purge, std::uint64_t since, tier::FleetLog::Done done);

  private:
    Fleet& fleet_;
    EventLoop& loop_;
    std::unique_ptr<redis::LoopResolver> resolver_;
    /// Another cloud's log.
    struct Other {
        std::unique_ptr<redis::Client> reader, writer;
        std::unique_ptr<tier::RemoteLog> log;
    };
    void subscribe(const redis::Credentials& credentials);
    tier::RemoteLog* add_other(const OtherCloud& cloud);

    std::unique_ptr<redis::Client> client_, reader_;  ///< the reader: for the log, else null
    std::vector<Other> others_;
    std::unique_ptr<redis::Subscription> subscription_;  ///< to what TierState::waits is told
    std::unique_ptr<tier::Tier> tier_;
    std::unique_ptr<tier::FleetLog> log_;  ///< null but for the first worker
};

class Fleet {
  public:
    struct Around {
        boost::asio::io_context& control;
        Resolver& resolver;
        Dialer& dialer;
        CacheStore& store;
        std::string node;
        std::unique_ptr<Alarm> alarm;
        std::function<void()> purged;  ///< called on control: the store is to be swept
    };
    /// Throws std::runtime_error where TLS cannot be set up.
    Fleet(const config::Redis& config, Around around);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    /// For one worker, before it runs. Control thread.
    [[nodiscard]] std::unique_ptr<FleetSeat> seat(EventLoop& loop);

    /// Purges the store, and tells the fleet. Nothing: limits::purge_rules are under way. `done`
    /// may be null; it is called once, on control.
    using Made = tier::FleetLog::Made;
    using Done = tier::FleetLog::Done;
    [[nodiscard]] std::optional<std::uint64_t> purge(const Purge& purge, Done done);

    /// Purges that are not in a log yet, for people: how many, and to which Redis. Empty: none.
    /// Control thread.
    [[nodiscard]] std::vector<std::string> unwritten() const;

    [[nodiscard]] tier::TierState& state() noexcept { return state_; }
    [[nodiscard]] const tier::TierState& state() const noexcept { return state_; }
    /// Of the workers' clients, in their order. Control thread.
    [[nodiscard]] std::vector<const redis::Statistics*> statistics() const;
    [[nodiscard]] const std::string& shown() const noexcept { return settings_->shown; }
    /// In the order of `purge_log`.
    [[nodiscard]] const std::vector<OtherCloud>& others() const noexcept { return others_; }

  private:
    friend class FleetSeat;
    void look_at_credentials();
    void post_to_seats(const std::function<void(FleetSeat&)>& work);
    void tell_purged();

    Around around_;
    std::shared_ptr<const redis::Settings> settings_;
    redis::CredentialSource credentials_;
    std::vector<OtherCloud> others_;
    tier::TierState state_;
    const std::string name_;  ///< of this process, unlike all others
    std::vector<std::unique_ptr<redis::Statistics>> statistics_;
    redis::Statistics log_statistics_, subscription_statistics_;
    std::mutex mutex_;
    std::vector<FleetSeat*> seats_;  ///< under mutex_; those that have not stopped
    std::atomic<bool> telling_{false};
};

}  // namespace scrollgate
