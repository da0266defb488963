// Drain: the way to the end of the process, without a reset for anybody.
//
// 1. For timeouts.drain_delay: still accepting, every answer says "Connection: close", /readyz is
//    503, so that load balancers in front turn away.
// 2. The kernel takes no new connection; handshakes under way finish, what is queued is served.
// 3. Connections end with their present exchange; timeouts.drain at most. The listening sockets
//    stay open to the end.
// 4. Purges that are not in their logs yet (proxy/caching/fleet.hpp) are written;
//    limits::tier_confirm at most, then it is said where they are missing.
// Control thread only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/model.hpp"
#include "core/net/alarm.hpp"
#include "proxy/server/listener_set.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

class Drain {
  public:
    struct Hooks {
        std::function<std::vector<std::string>()> unwritten;  ///< as Fleet::unwritten()
        std::function<void()> done;                           ///< nothing is left
    };
    /// Begins at once.
    Drain(boost::asio::io_context& control, Alarm& alarm, const config::Timeouts& timeouts,
          ListenerSet& listeners, std::vector<Worker*> workers, Hooks hooks);

    /// Calls off what is still under way: the next signal, or timeouts.drain is over.
    void hurry();

  private:
    void stop_accepting();
    void worker_done();
    void write_purges(Duration left);
    void end();

    boost::asio::io_context& control_;
    Alarm& alarm_;
    const config::Timeouts timeouts_;
    ListenerSet& listeners_;
    std::vector<Worker*> workers_;
    const Hooks hooks_;
    std::size_t serving_ = 0;  ///< workers with connections
    bool hurried_ = false;
};

/// Lets go of one listener: seals it, gives handshakes under way a moment, has every worker accept
/// what is queued, then closes it. The arguments outlive the control loop.
void drop_listener(ListenerSet& listeners, const std::vector<std::unique_ptr<Worker>>& workers,
                   boost::asio::io_context& control, const SocketAddress& address);

}  // namespace scrollgate
