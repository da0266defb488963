// Hedge: the watch over an exchange's attempt, and a second attempt beside it when it is late.
//
// From the moment the request is with the endpoint a timer runs. When an answer is later than
// usual for the route, a request that may be sent twice is sent to another endpoint as well; the
// first good answer wins. Where that one breaks off or goes silent, too, a third takes its place.
// When the answer is far later, health is told. The first attempt is never ended for being slow.
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
    [[nodiscard]] bool wants_rival() const noexcept;
    [[nodiscard]] bool claim_next();
    void start_next();
    [[nodiscard]] Task<void> run_rival();
    void put_in_place();
    [[nodiscard]] bool good(const Turn& turn) const noexcept;

    Exchange& x_;
    Turn& first_;
    std::optional<Turn> rival_;
    std::optional<Claim> next_;  ///< of who takes the rival's place
    Result<void> rival_began_;
    Child child_;
    TimePoint asked_{}, late_ = never, overdue_ = never, look_ = never;
    bool decided_ = false, first_won_ = false, rival_won_ = false;
};

}  // namespace scrollgate
