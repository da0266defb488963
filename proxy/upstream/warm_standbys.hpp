// WarmStandbys: one idle connection to each standby, so that the first request after it was scaled
// in pays neither a connect nor a handshake.
//
// Looks every five seconds and connects to what has none, one after the other. Only over
// HTTP/1, and not where each connection begins with the address of a client (proxy_protocol).
// Whether the standby is well is its health check's business: a connect that fails is tried again
// at the next look, and nobody is told. One worker; no locks.
#pragma once

#include <memory>
#include <vector>

#include "balancer/endpoint.hpp"
#include "core/clock.hpp"
#include "core/net/event_loop.hpp"
#include "core/task.hpp"
#include "core/timer_wheel.hpp"
#include "proxy/upstream/upstream_connection.hpp"

namespace scrollgate {

class WarmStandbys final : private TimerWheel::Timer {
  public:
    WarmStandbys(EventLoop& loop, UpstreamPool& upstreams) noexcept
        : loop_(loop), upstreams_(upstreams) {}

    /// From now on these. A connect may take `connect`; a connection is kept for `idle`.
    void watch(const std::vector<std::shared_ptr<const EndpointSet>>& sets, Duration connect,
               Duration idle);
    /// No more connects; one that is under way ends with the loop's next turn.
    void stop() noexcept;

  private:
    void expired() noexcept override;
    [[nodiscard]] Task<void> look();
    [[nodiscard]] Task<void> warm(const Endpoint& endpoint);

    EventLoop& loop_;
    UpstreamPool& upstreams_;
    std::vector<std::shared_ptr<const Endpoint>> standbys_;  ///< that are kept warm while they are
    Duration connect_{}, idle_{};
    UpstreamConnection* connecting_ = nullptr;
    bool looking_ = false;
};

}  // namespace scrollgate
