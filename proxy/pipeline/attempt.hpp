// Attempt: one try of an Exchange on one endpoint, over a connection that is connected. What is
// said on the wire is the OriginEnd's (origin_end.hpp); this is the conversation, whatever the
// version.
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
#include "proxy/pipeline/exchange.hpp"
#include "proxy/pipeline/origin_end.hpp"
#include "proxy/pipeline/timed_gate.hpp"

namespace scrollgate {

class Attempt {
  public:
    /// `end` leads to `endpoint`; the attempt finishes it.
    Attempt(Exchange& x, const Endpoint& endpoint, OriginEnd& end) noexcept;
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

    /// After a failed begin(): the connection was no good any more, and the request is as if it had
    /// not been sent.
    [[nodiscard]] bool died_unused() const noexcept { return died_unused_; }
    /// After a failed begin(): see OriginEnd::spent().
    [[nodiscard]] bool spent() const noexcept { return spent_; }
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
    /// All bytes of the request are out, though its end may not have come: END_STREAM may follow
    /// behind a body whose length was given.
    [[nodiscard]] bool all_sent() const noexcept;
    [[nodiscard]] bool can_repeat(const Error& error) const noexcept;
    [[nodiscard]] Error failed(Error error) const noexcept;
    [[nodiscard]] Error malformed(const char* detail) const noexcept;

    // response.cpp: the response
    [[nodiscard]] Task<Result<void>> receive_head();
    [[nodiscard]] Task<Result<void>> take_interim();
    [[nodiscard]] Task<Result<void>> forward_interim(ResponseHead& head);
    [[nodiscard]] Task<Result<void>> relay_body();
    [[nodiscard]] Task<Result<void>> tunnel();
    void finish(bool whole);

    Exchange& x_;
    const Endpoint& endpoint_;
    OriginEnd* end_;                  ///< null: finished
    ResponseHead response_;           ///< views into the end's memory
    std::vector<ResponseHead> held_;  ///< 1xx heads that wait, their text in the exchange's arena
    Child upload_;
    TimedGate gate_;  ///< open: the request's body may be read
    TimePoint sent_at_{};
    Duration first_byte_{-1};            ///< start of the exchange to the final head
    std::uint64_t uploaded_before_ = 0;  ///< of the exchange, by attempts before this one
    unsigned interims_ = 0;
    bool holding_ = false;
    bool body_begun_ = false;  ///< bytes of the request's body may have been taken
    bool sent_ = false;        ///< the request went out to its last byte
    bool answered_ = false;    ///< the final head is here
    bool died_unused_ = false, spent_ = false;
};

}  // namespace scrollgate
