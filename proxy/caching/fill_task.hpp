// Background exchanges: an origin is asked for what is to be stored, and nobody else's connection
// is in it.
//
// A FillTask has an Exchange of its own without a client: the request is copied, its body is empty,
// its sink is a Fill. It runs the ordinary forward(), so failover, hedges and retries hold for it
// as for anybody, and a client that leaves ends nothing but its own reading. Owns itself; the
// worker keeps a list of them and calls them off when it stops. Bounded by limits::fills, in the
// FillTable. Observed once, as kind=fill. One worker; no locks.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/intrusive/list_hook.hpp>

#include "cache/fill/fill.hpp"
#include "core/arena.hpp"
#include "core/task.hpp"
#include "proxy/caching/fill_sink.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/pipeline/no_body.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {
namespace tier {
struct TierFound;
}

/// What came of a background exchange.
struct FillEnd {
    std::string_view outcome;                ///< "ok" or an Error's reason
    CacheReason reason = CacheReason::none;  ///< why it is not stored; none: it is
    std::uint16_t status = 0;                ///< the origin's answer; 304: it was still good
    std::uint64_t bytes = 0;                 ///< of content
    bool by_coding = false;  ///< it has variants by Accept-Encoding, of which this is one
    unsigned asked = 1;      ///< requests to the origin; more than one where it has
};
/// Called once, on the worker's thread, when nothing of the exchange is pending.
using FillDone = std::function<void(const FillEnd&)>;

/// What is fetched into the cache without a client: a URL, as a client would ask for it.
struct FillOrder {
    std::string scheme;     ///< "http" or "https"
    std::string authority;  ///< host, and port if it is not the scheme's
    std::string target;     ///< path and query
    std::string listener;   ///< whose routes; empty: the first one of the configuration
    std::string coding;     ///< Accept-Encoding; empty: there is none
};

/// Fetches `order` on the route that a client's request would take, and stores it; what is stored
/// already is validated. On `worker`'s thread. `done` tells how it ended, perhaps before this
/// returns: with the reason of an Error if the URL is refused or its route has no cache (no_route),
/// or if too much is under way (overloaded); with `ok` and status 0 if somebody has stored it just
/// now, or an operator has set it by hand.
void start_fill(Worker& worker, const FillOrder& order, FillDone done);

/// Starts `fill`, which x leads, for the request of x. What comes is the leader's in every way; the
/// share is what only its client gets. With `asks_tier` the tier in Redis is asked first, if there
/// is one, and may end the fill; `alone`: what comes is probably for nobody else, so no other node
/// is waited for, or made to wait.
[[nodiscard]] LeadersShareRef lead_fill(Exchange& x, FillRef fill, bool asks_tier, bool alone);

/// Starts a fill for the request of x, which is answered from x.cache.entry meanwhile, unless one
/// is under way.
void refresh_behind(Exchange& x);

/// start_fill() once without Accept-Encoding, and if the answer varies by it once for each value
/// that browsers and other programs send, one after the other. `done` tells how the first one
/// ended that did not end well, else the first.
void start_fills(Worker& worker, const FillOrder& order, FillDone done);

using FillHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class FillTask final : public FillHook {
  public:
    FillTask(Worker& worker, WorkerSnapshotRef snapshot, const Client& client);
    FillTask(const FillTask&) = delete;
    FillTask& operator=(const FillTask&) = delete;

    /// The request of `x`, copied, as a GET.
    void copy_request(const Exchange& x);
    /// The request that `order` describes, on its route. An Error if it is refused.
    [[nodiscard]] Result<void> make_request(const FillOrder& order);

    /// Whether the tier in Redis is asked before the origin, and what is done while another node
    /// asks the origin for the same: its answer is waited for a moment, or nothing is done at all.
    /// `look`: without regard to other nodes.
    enum class AskTier : std::uint8_t { no, look, yes_and_wait, yes };
    void ask_tier(AskTier asks) noexcept { asks_tier_ = asks; }
    /// Asks the origin for `fill`, until it is over; then the task is no more. With `known`, a
    /// stored response, it is validated if it can be; `keeps` it when the origin fails.
    void start(FillRef fill, EntryRef known, bool keeps, LeadersShareRef share, FillDone done);

    /// Calls it off; it ends soon.
    void abandon() noexcept;
    [[nodiscard]] Exchange& exchange() noexcept { return x_; }

  private:
    [[nodiscard]] Task<void> run();
    [[nodiscard]] Task<bool> find_in_tier();
    [[nodiscard]] Task<bool> lead_the_fleet(TimePoint by);
    [[nodiscard]] bool ends_with(const tier::TierFound& found);
    void end(const Result<void>& forwarded);
    void end_found();
    void write_to_tier();
    void tell_fleet_unshared();
    void return_lease();

    Client client_;
    Exchange x_;
    NoBody body_;
    FillSink sink_;
    FillRef fill_;
    EntryRef known_;  ///< while the tier is asked
    FillDone done_;
    std::uint64_t position_ = 0;  ///< of the fleet's purges, before the origin is asked; 0: none
    AskTier asks_tier_ = AskTier::no;
    std::uint64_t lease_ = 0;   ///< the token of what is held, or may be; 0: none
    bool leads_fleet_ = false;  ///< it is held
    TimedGate gate_;            ///< while another node's answer is waited for
};

}  // namespace scrollgate
