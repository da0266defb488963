// Attempt: one try of an Exchange on one endpoint, over an HTTP/1 connection.
//
// begin() sends the request and reads up to the final response head, while the request's body flows
// beside it; deliver() relays the response. The upload is a child of the attempt: whoever began an
// attempt ends it by deliver() or abandon(), both of which join it. One worker; no locks.
#pragma once

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
    /// `connection` is one to `endpoint`: reused, or to be connected.
    Attempt(Exchange& x, const Endpoint& endpoint, UpstreamLease connection) noexcept;
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    /// Connects if need be, sends the request, forwards 1xx heads, leaves the final head in
    /// x.response. A reused connection that dies before a byte of the response is replaced by a
    /// fresh one, once, if the request can be repeated.
    [[nodiscard]] Task<Result<void>> begin();
    /// Relays the response; keeps the connection if it can be used again.
    [[nodiscard]] Task<Result<void>> deliver();
    /// Gives up after a failed begin(): nothing of the attempt is pending afterwards.
    [[nodiscard]] Task<void> abandon();

  private:
    // attempt.cpp: the request
    [[nodiscard]] Task<Result<void>> converse();
    [[nodiscard]] Task<Result<void>> connect();
    [[nodiscard]] Task<Result<void>> send();
    [[nodiscard]] Task<void> upload();
    [[nodiscard]] Task<void> end_upload();
    void await_answer();
    [[nodiscard]] bool can_repeat() const noexcept;
    [[nodiscard]] Error failed(ErrorKind kind, const char* detail = "") const noexcept;

    // response.cpp: the response
    [[nodiscard]] Task<Result<void>> receive_head();
    [[nodiscard]] Task<Result<void>> next_head();
    [[nodiscard]] Task<Result<void>> forward_interim();
    [[nodiscard]] Task<Result<void>> relay_body();
    [[nodiscard]] Task<Result<void>> tunnel();
    void release();

    Exchange& x_;
    const Endpoint& endpoint_;
    UpstreamLease connection_;
    Http1MessageSink sink_;
    Http1BodySource body_;
    Child upload_;
    TimedGate gate_;                     ///< open: the request's body may be read
    std::uint64_t received_before_ = 0;  ///< bytes the connection had received before this attempt
    unsigned interims_ = 0;
    bool body_begun_ = false;  ///< bytes of the request's body may have been taken
    bool sent_ = false;        ///< the request went out to its last byte
    bool answered_ = false;    ///< the final head is here
    bool made_room_ = false;   ///< an idle connection was closed for its descriptor
};

}  // namespace scrollgate
