// LeaseWaits: who of this process waits for a lease that another node has (decision 24).
//
// Whoever gives back a lease that is waited for says so by pub/sub, and one subscription of the
// process hears it: those who wait for that one are woken, each on its own loop. So are all when
// the subscription is lost, and all of a loop when Redis does not answer it. Whoever is woken looks
// for itself, and looks anyhow now and then: a message is a hint and may be lost. Any thread, where
// it says nothing else.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "cache/hash128.hpp"
#include "cache/tier/counts.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate::tier {

class LeaseWait;

class LeaseWaits {
  public:
    explicit LeaseWaits(Counts& counts) noexcept : counts_(counts) {}
    LeaseWaits(const LeaseWaits&) = delete;
    LeaseWaits& operator=(const LeaseWaits&) = delete;

    /// The message of name_of_freed(): the name of a lease that was given back.
    void freed(std::string_view lease);
    /// Whether messages come, from now on.
    void listens(bool on);
    [[nodiscard]] bool listening() const noexcept {
        return listening_.load(std::memory_order_acquire);
    }
    /// All that wait on `loop`, whose thread calls it.
    void wake_all(EventLoop& loop);

  private:
    friend class LeaseWait;
    using Waiting = std::multimap<Hash128, LeaseWait*>;

    void post_to(EventLoop& loop, std::optional<Hash128> lease);
    void wake(EventLoop& loop, std::optional<Hash128> lease);

    Counts& counts_;
    std::atomic<bool> listening_{false};
    std::atomic<std::size_t> size_{0};
    std::mutex mutex_;
    Waiting waiting_;  ///< under mutex_; limits::tier_waiters at most
};

/// One that waits, until it is destroyed. Its loop's thread.
class LeaseWait {
  public:
    /// All outlive it. `woken` is called on `loop` whenever it is worth while to look; it must not
    /// destroy who waits, but may see that he is resumed later.
    LeaseWait(LeaseWaits& waits, EventLoop& loop, const Hash128& lease,
              std::function<void()> woken);
    ~LeaseWait();
    LeaseWait(const LeaseWait&) = delete;
    LeaseWait& operator=(const LeaseWait&) = delete;

    /// False: nobody tells it, since no messages come at present, or too many wait.
    [[nodiscard]] bool is_told() const noexcept { return place_ && waits_.listening(); }

  private:
    friend class LeaseWaits;

    LeaseWaits& waits_;
    EventLoop& loop_;
    std::function<void()> woken_;
    std::optional<LeaseWaits::Waiting::iterator> place_;
};

}  // namespace scrollgate::tier
