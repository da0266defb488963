// ConnectRace: connecting, with a second try elsewhere when the first takes long (after RFC 8305,
// "Happy Eyeballs", between endpoints instead of addresses).
//
// When the connect takes longer than those before it to the same endpoint, or than
// failover.connect_race while these are few, a second endpoint is claimed and connected to as well,
// for any method: no byte of the request has left yet. One worker; no locks.
#pragma once

#include <optional>

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/claim.hpp"

namespace scrollgate {

class ConnectRace final : private TimerWheel::Timer {
  public:
    /// Connects for `claim`, whose connection is a new one.
    ConnectRace(Exchange& x, Claim& claim) noexcept : x_(x), first_(claim) {}

    /// The first endpoint to be connected to is `claim` afterwards; the other one is let go. If
    /// none is, the Error is the first one's and the claim is let go. All that failed is reported.
    [[nodiscard]] Task<Result<void>> run();
    /// run() ends soon, with Error cancelled.
    void call_off() noexcept;
    /// The time of the connect that won.
    [[nodiscard]] Duration took() const noexcept { return took_; }

  private:
    void expired() noexcept override;
    [[nodiscard]] Result<void> claim_second();
    [[nodiscard]] Task<void> run_second();
    void let_go(Claim& loser, const Result<void>& ended, TimePoint begun);

    Exchange& x_;
    Claim& first_;
    std::optional<Claim> second_;
    Result<void> second_ended_;
    TimePoint second_begun_{};
    Duration took_{0};
    Child child_;
    TimePoint asks_until_{};  ///< again, where the others are full
    bool decided_ = false, second_won_ = false, first_ended_ = false;
};

}  // namespace scrollgate
