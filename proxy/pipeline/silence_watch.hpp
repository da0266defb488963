// SilenceWatch: ends an exchange through which nothing has gone either way for too long: tunnels,
// and calls of gRPC, whose directions have no such time of their own.
#pragma once

#include "core/timer_wheel.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

class SilenceWatch final : private TimerWheel::Timer {
  public:
    /// Watches `x`, which outlives it, until it is destroyed. After `limit`, seen in quarters of
    /// it, `x` is cancelled as `why`; never for no_limit.
    SilenceWatch(Exchange& x, Duration limit, ErrorKind why) noexcept;

  private:
    void arm() noexcept;
    void expired() noexcept override;

    Exchange& x_;
    const Duration limit_;
    const ErrorKind why_;
    std::uint64_t seen_ = 0;  ///< bytes that had gone, both ways, at the last look
    unsigned quiet_ = 0;      ///< quarters in a row without a byte
};

}  // namespace scrollgate
