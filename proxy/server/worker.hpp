// Worker: one event loop on one thread, with everything that its connections need.
//
// The control thread talks to a worker only through the functions marked "any thread", which post.
// All else belongs to the worker's thread; no locks.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "core/net/dialer.hpp"
#include "core/net/event_loop.hpp"
#include "proxy/caching/fill_task.hpp"
#include "proxy/caching/lookup_sample.hpp"
#include "proxy/caching/response_cache.hpp"
#include "proxy/http1/origin_end.hpp"
#include "proxy/http1/server_session.hpp"
#include "proxy/http2/exchange.hpp"
#include "proxy/http2/origin_end.hpp"
#include "proxy/observe/access_log.hpp"
#include "proxy/observe/metrics.hpp"
#include "proxy/server/acceptor.hpp"
#include "proxy/server/admission.hpp"
#include "proxy/server/greeting.hpp"
#include "proxy/server/recycled.hpp"
#include "proxy/server/session.hpp"
#include "proxy/server/snapshot.hpp"
#include "proxy/upstream/pending_queue.hpp"
#include "proxy/upstream/upstream_connection.hpp"
#include "proxy/upstream/warm_standbys.hpp"

namespace scrollgate {

class FleetSeat;
class Health;
class Worker;
namespace tier {
class Tier;
}

/// What all workers share; each part says how.
struct WorkerShared {
    const Clock& clock;
    Dialer& dialer;
    Metrics& metrics;
    AccessLog& access_log;
    Admission& admission;
    ResponseCache& cache;
    std::vector<std::unique_ptr<Worker>>& workers;  ///< complete before any of them runs
    Health* health = nullptr;                       ///< its "any thread" side; null: nobody looks
};

class Worker {
  public:
    Worker(unsigned index, const WorkerShared& shared, std::uint32_t frequency,
           std::shared_ptr<const Snapshot> snapshot, const PoolSets& sets);
    ~Worker();

    /// Serves until stop(). The thread that calls it is the worker's.
    void run();

    // -- any thread
    /// A new configuration for the exchanges that start from now on.
    void adopt(std::shared_ptr<const Snapshot> snapshot, PoolSets sets);
    /// New endpoint sets under the same configuration.
    void update(PoolSets sets);
    /// Accepts from `descriptor` (not owned) for this listener. Again: as it is from now on; if its
    /// terms are others, connections that came under the old ones drain.
    void listen(int descriptor, std::shared_ptr<const ListenerRuntime> listener);
    /// Accepts what is queued on `descriptor`, then no more, and all that came from there drain;
    /// `done` runs on the worker's thread.
    void stop_listening(int descriptor, std::function<void()> done);
    /// Connections end after their present exchange.
    void say_close();
    /// say_close(), and idle connections close; `done` runs on this thread when none is left.
    void drain(std::function<void()> done);
    /// Calls off what is still under way.
    void abandon_all();
    void stop();

    // -- this worker's thread
    [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] const WorkerSnapshot& snapshot() const noexcept { return *snapshot_; }
    [[nodiscard]] const WorkerSnapshotRef& snapshot_ref() const noexcept { return snapshot_; }
    [[nodiscard]] UpstreamPool& upstreams() noexcept { return upstreams_; }
    [[nodiscard]] PendingQueue& pending() noexcept { return pending_; }
    [[nodiscard]] ResponseCache& cache() noexcept { return shared_.cache; }
    /// The tier behind the memory; null: there is none.
    [[nodiscard]] tier::Tier* tier() noexcept { return tier_; }
    /// Purges the store, of all nodes where there are others. False: too many are under way.
    [[nodiscard]] bool purge(const Purge& purge);
    [[nodiscard]] LookupSample& lookups() noexcept { return lookups_; }
    /// A request waits for a connection to `endpoint`, because `reached` is: other workers close an
    /// idle one of theirs.
    void ask_for_room(const Endpoint& endpoint, Limit reached);
    /// An attempt on `endpoint` has ended here: its room is another request's, of this worker or of
    /// another one by how many wait on each, so that nobody starves whose worker has few.
    void hand_on(const Endpoint& endpoint);
    /// The present time as Date writes it (RFC 9110 section 5.6.7); valid until the next call.
    [[nodiscard]] std::string_view date();
    [[nodiscard]] bool log_enabled() const noexcept { return shared_.access_log.enabled(); }
    /// The one log event of an exchange, and its metrics.
    void observe(Exchange& x);
    /// Counts one attempt on `endpoint`: no error means that it gave a response.
    void observe_attempt(const Exchange& x, const Endpoint& endpoint,
                         std::optional<ErrorKind> error, Duration took);
    /// report() has said that health should look at once.
    void ring_health();
    /// What the kept request bodies hold.
    [[nodiscard]] ReplayMemory& replay_memory() noexcept { return replay_memory_; }
    /// No descriptor was to be had: says it once per second.
    void out_of_descriptors(const boost::system::error_code& error);

    // -- for sessions
    [[nodiscard]] Recycled<ServerExchange>& http1_exchanges() noexcept { return http1_; }
    [[nodiscard]] Recycled<Http2Exchange>& http2_exchanges() noexcept { return http2_; }
    [[nodiscard]] Recycled<Http1OriginEnd>& http1_ends() noexcept { return http1_ends_; }
    [[nodiscard]] Recycled<Http2OriginEnd>& http2_ends() noexcept { return http2_ends_; }
    void session_began(Session& session);
    /// `session` has taken the place of one that leaves the list.
    void session_replaced(Session& session);
    void session_ended(const SocketAddress& peer);
    void idle_sessions(int change) noexcept;
    [[nodiscard]] Admission& admission() noexcept { return shared_.admission; }
    /// How a handshake with a client has ended.
    [[nodiscard]] ConnectionGauges& gauges() noexcept { return gauges_; }
    /// It has begun, and there is one of its kind less afterwards.
    void greeting_began(Greeting& greeting);
    void greeting_ended(Greeting& greeting);
    /// What is known of a client that `peer` is, or speaks for, on `descriptor`.
    [[nodiscard]] Client client_of(const ListenerRuntime& listener, const SocketAddress& peer,
                                   int descriptor) const;
    /// What something is warned of; each has a line per second, however often it happens.
    enum class About : std::uint8_t { room, client, origin };
    void warn(About about, const std::string& what);
    /// A background exchange has begun; it leaves the list by itself.
    void fill_began(FillTask& fill) { fills_.push_back(fill); }
    /// An HTTP/2 connection was ended for a flood.
    void flooded(http2::Flood kind) noexcept;
    /// say_close() was called, or the client has come under other terms than its listener has by
    /// now: even a new connection is to be short.
    [[nodiscard]] bool closing(const Client& client) const noexcept;

    /// Counts a tunnel while it lasts.
    class TunnelCount {
      public:
        explicit TunnelCount(Worker& worker) noexcept;
        ~TunnelCount();
        TunnelCount(const TunnelCount&) = delete;
        TunnelCount& operator=(const TunnelCount&) = delete;

      private:
        Worker& worker_;
    };

  private:
    void offer_room(std::shared_ptr<PoolState> pool, std::size_t others);

    using Fills = boost::intrusive::list<FillTask, boost::intrusive::constant_time_size<false>>;
    using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

    using Greetings = boost::intrusive::list<Greeting, boost::intrusive::constant_time_size<true>>;

    void watch_standbys(const PoolSets& sets);
    void accepted(int listening, int descriptor, const SocketAddress& peer);
    void abandon_sessions();
    void drain_those_under(std::uint64_t terms);
    void abandon_fills();
    void finish_drain();

    const unsigned index_;
    WorkerShared shared_;
    ConnectionGauges& gauges_;
    EventLoop loop_;
    UpstreamPool upstreams_;
    WarmStandbys standbys_{loop_, upstreams_};
    PendingQueue pending_{loop_};
    WorkerSnapshotRef snapshot_;
    ReplayMemory replay_memory_;
    Recycled<ServerExchange> http1_;
    Recycled<Http2Exchange> http2_;
    Recycled<Http1OriginEnd> http1_ends_;
    Recycled<Http2OriginEnd> http2_ends_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    std::map<int, std::shared_ptr<const ListenerRuntime>> listeners_;  ///< by their descriptor
    Greetings greetings_;
    Sessions sessions_;
    Fills fills_;  ///< background exchanges
    std::function<void()> drained_;
    bool closing_ = false;
    LookupSample lookups_;
    std::string date_;
    std::int64_t date_second_ = -1;
    std::array<TimePoint, 3> warned_{};  ///< when that was, by About
    std::unique_ptr<FleetSeat> seat_;    ///< null: this process is alone
    tier::Tier* tier_ = nullptr;         ///< its
};

}  // namespace scrollgate
