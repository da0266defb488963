// What a probe asks, and what it has found. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model.hpp"
#include "core/net/connection.hpp"
#include "core/net/dialer.hpp"

namespace scrollgate {

struct ProbePlan {
    enum class Kind : std::uint8_t { tcp, http, grpc, redis };
    Kind kind = Kind::tcp;
    bool http2 = false;                        ///< of http: at any rate, not only if TLS agrees
    std::vector<SocketAddress> addresses;      ///< asked in turn until one passes
    bool pending = false;                      ///< the name has no answer yet: ask again soon
    Duration timeout = limits::check_timeout;  ///< per address, from the connect to the last byte
    DialPlan dial{};                           ///< TLS, and what is said first
    std::string host;                          ///< of http and grpc
    // -- of http
    std::string method = "GET", path = "/";
    std::string content;  ///< of the request; sent as JSON if it is not empty
    std::vector<config::HealthCheck::StatusRange> expect{{}};
    std::string body;  ///< must occur in the answer's first limits::check_body bytes
    // -- of grpc
    std::string service;  ///< must be SERVING; empty: the server as a whole
};

struct ProbeResult {
    bool passed = false;
    std::string why;  ///< what came instead, for people
    /// We ran out of descriptors, ports or buffers: nobody was asked, so nothing is known.
    bool starved = false;
};

/// What a status says, before the body: passed, or not.
[[nodiscard]] ProbeResult judge_status(const ProbePlan& plan, std::uint16_t status);
/// What the first bytes of the body say.
[[nodiscard]] ProbeResult judge_body(const ProbePlan& plan, const std::string& start);
/// Connecting has failed with `error`.
[[nodiscard]] ProbeResult not_connected(const Connection& connection,
                                        const boost::system::error_code& error);
/// An exchange on `connection` did not come to its end.
[[nodiscard]] ProbeResult cut_short(const Connection& connection);

}  // namespace scrollgate
