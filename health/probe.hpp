// Probe: one question to one address, and whether the answer is as expected.
//
// A connection that is accepted (tcp), an HTTP exchange with expected status and body (also the
// webhook's POST), a call of grpc.health.v1, or PING to Redis. A connection of HTTP/1.1 is kept for
// the next time if both sides agree; one that has died meanwhile is replaced once. All of it has
// one deadline, and reads are bounded. Health's thread; no locks.
#pragma once

#include <cstdint>
#include <memory>

#include "core/message.hpp"
#include "core/task.hpp"
#include "health/probe_plan.hpp"

namespace scrollgate {

class Probe {
  public:
    /// Both outlive it.
    Probe(EventLoop& loop, Dialer& dialer) noexcept : loop_(loop), dialer_(dialer) {}
    /// Nothing is under way any more.
    ~Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    /// `plan` stays valid until it has ended. One at a time.
    [[nodiscard]] Task<ProbeResult> run(const ProbePlan& plan);
    /// What is under way ends soon, as failed.
    void cancel() noexcept;
    /// Closes a kept connection.
    void close() noexcept { connection_.reset(); }

  private:
    class Line;
    struct LineDelete {
        void operator()(Line* line) const noexcept;
    };

    Task<ProbeResult> ask(const ProbePlan& plan, const SocketAddress& address);
    Task<ProbeResult> connect(const SocketAddress& address);
    Task<ProbeResult> redis(TimePoint until);
    Task<ProbeResult> http(const ProbePlan& plan, TimePoint until);
    Task<ProbeResult> http_head(const ProbePlan& plan, std::uint16_t& status, BodyFraming& body);
    Task<ProbeResult> http_body(const ProbePlan& plan, BodyFraming body);
    [[nodiscard]] bool over_http2(const ProbePlan& plan) const;
    [[nodiscard]] bool reusable(const ProbePlan& plan, const SocketAddress& address) const;

    EventLoop& loop_;
    Dialer& dialer_;
    std::unique_ptr<Line, LineDelete> connection_;
    SocketAddress peer_;                       ///< of connection_
    std::shared_ptr<const TlsTarget> target_;  ///< likewise
    bool keep_ = false;                        ///< the exchange left the connection fit for another
    bool cancelled_ = false;
    std::uint64_t received_before_ = 0;
};

}  // namespace scrollgate
