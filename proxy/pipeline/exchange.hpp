// Exchange: one request and its response, from the first byte to its one log event.
//
// Lives on one worker; no locks. A session fills in the request and the ends, serve()
// (pipeline.hpp) does the rest. Exchanges are recycled: what grew once stays, so the usual request
// allocates nothing here. Everything a view of the exchange points to lives until reset().
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/levels.hpp"
#include "core/arena.hpp"
#include "core/message.hpp"
#include "core/net/address.hpp"
#include "core/net/tls_server.hpp"
#include "proxy/caching/decision.hpp"
#include "proxy/observe/exchange_record.hpp"
#include "proxy/pipeline/affinity.hpp"
#include "proxy/pipeline/ends.hpp"
#include "proxy/pipeline/replay.hpp"
#include "proxy/pipeline/timed_gate.hpp"
#include "proxy/server/snapshot.hpp"
#include "proxy/upstream/call_off.hpp"

namespace scrollgate {

class FillReader;
class Worker;

/// What the handshake with a client has settled.
struct TlsFacts {
    std::shared_ptr<const TlsServerContext> context;
    std::string server_name;  ///< that the client asked for; empty: for none
    std::string subject;      ///< of the client's certificate; empty: it has shown none
};

/// What is known of a client's connection; the same for all its exchanges.
struct Client {
    SocketAddress peer;
    std::string ip;  ///< of the peer, as text
    std::string_view scheme = "http";
    std::string listener;                   ///< name of the listener
    bool trusted = false;                   ///< the peer is one of trusted_proxies
    bool lacks_tls = false;                 ///< it speaks plainly on a port for TLS
    std::uint16_t https_redirect = 0;       ///< of the listener
    std::uint64_t terms = 0;                ///< of the listener (listener_runtime.hpp); 0: of none
    SocketAddress local{};                  ///< where it connected to; set if a pool wants to know
    std::shared_ptr<const TlsFacts> tls{};  ///< null: plain
};

struct Exchange {
    explicit Exchange(Worker& on) noexcept : worker(on) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    /// Ready for another request; keeps capacity.
    void reset() noexcept;

    /// The client is gone (or the worker gives up): upstream work is called off, every await of it
    /// completes with this error. The first reason stays.
    void cancel(ErrorKind why) noexcept;

    /// `work` is failed by cancel() until it is detached.
    void attach(CallOff& work) { upstreams.push_back(&work); }
    void detach(CallOff& work) noexcept { std::erase(upstreams, &work); }

    /// Of the route: what is late on this worker, and what may be repeated on all of them.
    [[nodiscard]] HedgeGate& hedges() const noexcept { return *snapshot->hedges[record.route]; }
    [[nodiscard]] RetryBudget& budget() const noexcept { return *route->budget; }

    [[nodiscard]] const config::Config& config() const noexcept {
        return *snapshot->shared->config;
    }

    Worker& worker;
    WorkerSnapshotRef snapshot;

    // -- the ends, by the session
    const Client* client = nullptr;
    RequestHead request;
    BodySource* body = nullptr;
    ResponseSink* sink = nullptr;
    bool pipelined = false;         ///< its head was there when the exchange before it ended
    bool upgrade = false;           ///< asks for another protocol, and may
    bool must_upgrade = false;      ///< and has no use for an answer that succeeds otherwise
    bool expects_continue = false;  ///< waits for a 100 before its body
    bool grpc = false;              ///< is a gRPC call
    bool explained = false;         ///< the answer tells why it is what it is

    // -- on the way, by the pipeline
    const RouteRuntime* route = nullptr;
    std::string_view path;    ///< in its one spelling, as routes match it
    std::string_view target;  ///< path and query to forward
    std::string path_storage, rewrite_storage;
    std::string_view upgrade_protocol;  ///< value of Upgrade that goes on
    Arena arena;
    ResponseHead response;
    TimePoint until = never;         ///< hard end: timeouts.request
    TimePoint answer_until = never;  ///< for the final head, over all attempts
    std::uint32_t sent = 0;          ///< attempts that count against max_attempts
    std::uint32_t turned_away = 0;   ///< others
    std::vector<const Endpoint*> tried;
    std::vector<const PoolState*> avoid;  ///< pools that others are preferred to, for the next pick
    Affinity affinity;                    ///< what ties the request to an endpoint
    std::vector<std::shared_ptr<const RouteTargets>> held;  ///< keeps tried endpoints alive
    std::vector<CallOff*> upstreams;  ///< of the attempts under way, for cancel()
    ReplayBody replay;                ///< what `body` is while it may have to be sent again
    TimedGate* waiting = nullptr;     ///< while it waits for room, for cancel()
    std::optional<ErrorKind> cancelled;
    CacheDecision cache;            ///< on routes with a cache
    FillReader* reading = nullptr;  ///< while it reads a fill, for cancel()

    // -- the end
    ExchangeRecord record;
    const char* detail = "";  ///< static text about the error, for the operator
};

}  // namespace scrollgate
