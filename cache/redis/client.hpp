// Client: all that one worker says to one Redis: a server, the master that sentinels name, or a
// cluster.
//
// One connection per node carries everybody's commands, pipelined; what is said in one turn of the
// loop leaves in one write. A command that is not answered by its deadline is forgotten, its answer
// skipped when it comes. After a few deadlines in a row, or half a second of silence, the node is
// left alone (breaker.hpp): commands fail at once, and a probe now and then finds out when it is
// back. Everything that waits is bounded in number and bytes.
//
// Errors that are no answers: connect_failed (not connected, or breaker open: at once),
// upstream_timeout (the deadline), upstream_reset (the connection broke under way), overloaded (the
// queue is full), cancelled (the client has gone). A Reply may be an error of the server's, too;
// MOVED, ASK and NOSCRIPT are seen to inside. While a server takes no writes (OOM, MISCONF,
// READONLY), writes get the Reply that said so, at once, but for a try now and then.
//
// Belongs to one loop's thread, all of it. Destroying it completes what is asked with `cancelled`;
// not from inside a coroutine that one of its answers has resumed.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/redis/command.hpp"
#include "cache/redis/reply.hpp"
#include "cache/redis/settings.hpp"
#include "cache/redis/statistics.hpp"
#include "core/net/dialer.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/resolver.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scrollgate::redis {

/// What a client lives on; all outlive it. The resolver answers on the loop's thread
/// (loop_resolver.hpp).
struct Surroundings {
    EventLoop& loop;
    Dialer& dialer;
    Resolver& resolver;
    Statistics& statistics;
    bool talks = true;  ///< logs what becomes of its nodes; one client of many is enough
};

class Client {
  public:
    Client(const Surroundings& around, std::shared_ptr<const Settings> settings,
           Credentials credentials);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Connects, and stays connected from now on. Once.
    void start();

    /// The answer to `command`, or why there is none by `until`. It is under way when the call
    /// returns; the task must be awaited. Nothing waits for a connection.
    [[nodiscard]] Task<Result<Reply>> ask(Command command, TimePoint until);
    /// Sends it behind the others; the answer is nobody's. False: dropped (and counted), because
    /// nobody is connected, or as many wait as may: half of the queue, so that questions go on.
    bool tell(Command command) noexcept;
    /// Several at once, answered in their order.
    [[nodiscard]] Task<std::vector<Result<Reply>>> ask_all(std::vector<Command> commands,
                                                           TimePoint until);
    /// Runs a script by its name, and sends it whole if the server does not know it. What is given
    /// stays valid until the answer.
    [[nodiscard]] Task<Result<Reply>> eval(const Script& script,
                                           std::span<const std::string_view> keys,
                                           std::span<const std::string_view> arguments,
                                           TimePoint until);
    /// Every node is told of `script`, which outlives the client, when its connection begins, so
    /// that script_command() can be told. Before start().
    void teach(const Script& script);

    [[nodiscard]] State state() const noexcept;
    /// True when it is up, false if it is not by `until`.
    [[nodiscard]] Task<bool> until_up(TimePoint until);
    /// settings.timeout from now.
    [[nodiscard]] TimePoint deadline() const noexcept;

    /// Other credentials: for new connections, and said on those that live.
    void authenticate(Credentials credentials);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace scrollgate::redis
