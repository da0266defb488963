// Turn: one endpoint's part in an exchange, from the claim to the end of its attempt.
#pragma once

#include <optional>

#include "proxy/pipeline/attempt.hpp"
#include "proxy/pipeline/claim.hpp"
#include "proxy/pipeline/connect_race.hpp"
#include "proxy/pipeline/tally.hpp"

namespace scrollgate {

class Hedge;

class Turn {
  public:
    /// Counts as an attempt from now on.
    Turn(Exchange& x, Claim claim, AttemptReason reason);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    /// Connects if need be (perhaps elsewhere, connect_race.hpp), sends the request and awaits the
    /// final head. A reused connection that dies before it gave a byte, or one over HTTP/2 that
    /// refuses the stream, is replaced by another one, once, if the request can be repeated
    /// (decisions 8 and 20). `hedge` is told when the request goes
    /// out, and may be null.
    [[nodiscard]] Task<Result<void>> begin(Hedge* hedge);
    /// Relays the response that begin() left, to its end.
    [[nodiscard]] Task<Result<void>> deliver();
    /// Ends it without a word to the client; after begin(), however that ended.
    [[nodiscard]] Task<void> abandon();
    /// Another one has won: begin() ends soon.
    void call_off() noexcept;
    /// Health is told, the first time, that the request has been with the endpoint for `took`, far
    /// longer than usual.
    void tell_overdue(Duration took);
    /// 1xx heads wait until deliver().
    void hold_interims() noexcept;

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return *endpoint_; }
    /// Of the final head; 0 before.
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
    /// The final head, once there is one.
    [[nodiscard]] const ResponseHead& response() const noexcept { return attempt_->response(); }
    /// After a failed begin(): see OriginEnd::spent(), of its last attempt.
    [[nodiscard]] bool spent() const noexcept { return spent_; }
    /// The request went out to its last byte.
    [[nodiscard]] bool sent() const noexcept { return attempt_ && attempt_->sent(); }
    /// The request is with the endpoint, which has not said a word.
    [[nodiscard]] bool waiting() const noexcept;

  private:
    [[nodiscard]] Task<Result<void>> connect();
    [[nodiscard]] Task<Result<void>> ask(Hedge* hedge);
    [[nodiscard]] bool rewind_body() noexcept;
    void let_go();

    Exchange& x_;
    Claim claim_;
    const Endpoint* endpoint_;
    std::optional<ConnectRace> race_;
    std::optional<Attempt> attempt_;
    TimePoint begun_;  ///< of the claim; once connected, of the request
    Duration connect_{-1}, took_{0};
    std::uint16_t status_ = 0;
    bool reported_ = false, called_off_ = false, holding_ = false, overdue_ = false;
    bool spent_ = false;
};

}  // namespace scrollgate
