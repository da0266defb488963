// Attempt: one try of an Exchange on one endpoint, over an HTTP/1 connection that is connected.
//
// begin() sends the request and reads up to the final response head, while the request's body flows
// beside it; deliver() relays the response. The upload is a child of the attempt: whoever began an
// attempt ends it by deliver() or abandon(), both of which join it. Two attempts of an exchange may
// be under way at a time (hedge.hpp); then 1xx heads wait for the one that wins. One worker; no
// locks.
#pragma once

#include <vector>

#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/http1/body_source.hpp"
#include "proxy/http1/message_sink.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/pipeline/timed_gate.hpp"
#include "proxy/upstream/upstream_connection.hpp"

namespace scrollgate {

class Attempt {
  public:
    /// `connection` is one to `endpoint`: reused, or connected just now.
    Attempt(Exchange& x, const Endpoint& endpoint, UpstreamLease connection) noexcept;
    ~Attempt();
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    /// Sends the request, forwards 1xx heads, leaves the final head in response().
    [[nodiscard]] Task<Result<void>> begin();
    /// Relays the response; keeps the connection if it can be used again.
    [[nodiscard]] Task<Result<void>> deliver();
    /// Ends it without a word to the client: nothing of the attempt is pending afterwards.
    [[nodiscard]] Task<void> abandon();

    /// Another attempt has won: begin() ends soon, with Error cancelled.
    void call_off() noexcept;
    /// Another attempt is under way, too: 1xx heads wait until deliver().
    void hold_interims() noexcept { holding_ = true; }

    /// After a failed begin(): the connection was a reused one and died before it gave a byte.
    [[nodiscard]] bool died_unused() const noexcept { return died_unused_; }
    /// The request went out to its last byte.
    [[nodiscard]] bool sent() const noexcept { return sent_; }
    /// When it had; after sent().
    [[nodiscard]] TimePoint sent_at() const noexcept { return sent_at_; }
    /// A 1xx head has come: the endpoint is at work.
    [[nodiscard]] bool heard() const noexcept { return interims_ > 0; }
    [[nodiscard]] const ResponseHead& response() const noexcept { return response_; }

  private:
    // attempt.cpp: the request
    [[nodiscard]] Task<Result<void>> converse();
    [[nodiscard]] Task<Result<void>> send();
    [[nodiscard]] Task<void> upload();
    [[nodiscard]] Task<void> end_upload();
    void await_answer();
    [[nodiscard]] bool can_repeat() const noexcept;
    [[nodiscard]] Error failed(ErrorKind kind, const char* detail = "") const noexcept;

    // response.cpp: the response
    [[nodiscard]] Task<Result<void>> receive_head();
    [[nodiscard]] Task<Result<void>> next_head();
    [[nodiscard]] Task<Result<void>> take_interim();
    [[nodiscard]] Task<Result<void>> forward_interim(ResponseHead& head);
    [[nodiscard]] Task<Result<void>> relay_body();
    [[nodiscard]] Task<Result<void>> tunnel();
    void release();

    Exchange& x_;
    const Endpoint& endpoint_;
    UpstreamLease connection_;
    ResponseHead response_;           ///< views into the connection's buffer
    std::vector<ResponseHead> held_;  ///< 1xx heads that wait, their text in the exchange's arena
    Http1MessageSink sink_;
    Http1BodySource body_;
    Child upload_;
    TimedGate gate_;                     ///< open: the request's body may be read
    std::uint64_t received_before_ = 0;  ///< bytes the connection had received before this attempt
    TimePoint sent_at_{};
    Duration first_byte_{-1};  ///< start of the exchange to the final head
    unsigned interims_ = 0;
    bool holding_ = false;
    bool body_begun_ = false;  ///< bytes of the request's body may have been taken
    bool sent_ = false;        ///< the request went out to its last byte
    bool answered_ = false;    ///< the final head is here
    bool died_unused_ = false;
};

}  // namespace scrollgate
