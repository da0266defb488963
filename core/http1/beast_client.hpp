// A blocking HTTP/1.1 client for commands and tests: one request, one answer, one connection.
//
// Never on a worker or on the control thread. Any thread otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/http1/beast_server.hpp"

namespace scrollgate::http1 {

struct ClientRequest {
    std::string method = "GET";
    std::string host;  ///< a name or an IP literal, without brackets
    std::uint16_t port = 0;
    std::string target = "/";
    PlainHeaders headers;  ///< Host, Content-Length and Connection are added
    std::string body;
    std::chrono::milliseconds timeout{10'000};  ///< for everything but a hanging resolver
    std::size_t max_answer = 64 * limits::MiB;
};

struct ClientAnswer {
    std::string error;  ///< empty: the rest is valid. Else what failed, without address
    unsigned status = 0;
    PlainHeaders headers;
    std::string body;
};

/// Sends `request` and waits for the complete answer.
[[nodiscard]] ClientAnswer fetch(const ClientRequest& request);

}  // namespace scrollgate::http1
