// Hedge: the watch over an exchange's attempt, and a second attempt beside it when it is late.
//
// From the moment the request is with the endpoint a timer runs. When an answer is later than
// usual for the route, a request that may be sent twice is sent to another endpoint as well; the
// first good answer wins. When it is far later, health is told. No attempt is ended for being slow.
// Lives on the frame of the exchange's turn. One worker; no locks.
#pragma once

#include <optional>

#include "proxy/pipeline/turn.hpp"

namespace scrollgate {

class Hedge final : private TimerWheel::Timer {
  public:
    /// Watches `first` from the moment it asks.
    Hedge(Exchange& x, Turn& first) noexcept : x_(x), first_(first) {}
    Hedge(const Hedge&) = delete;
    Hedge& operator=(const Hedge&) = delete;

    /// The request goes out: the time runs.
    void asked();

    /// `first` has ended with `began`. Waits for the attempt beside it if that may still do better;
    /// the turn whose answer counts, or that failed last, with `began` made to fit it. Only that
    /// one is left to be delivered or abandoned.
    [[nodiscard]] Task<Turn*> settle(Result<void>& began);

  private:
    void expired() noexcept override;
    void expect(Duration usual);
    [[nodiscard]] bool start_rival();
    [[nodiscard]] Task<void> run_rival();
    [[nodiscard]] bool good(const Turn& turn) const noexcept;

    Exchange& x_;
    Turn& first_;
    std::optional<Turn> rival_;
    Result<void> rival_began_;
    Child child_;
    TimePoint asked_{}, late_ = never, overdue_ = never, look_ = never;
    bool decided_ = false, rival_won_ = false;
};

}  // namespace scrollgate
