// The gate of the admin API: who may ask for what.
//
// Three rules, each against its own attack. Host must be an IP literal, localhost or the configured
// name: a page that rebinds its DNS name to 127.0.0.1 sends its own. Origin, if sent, must be this
// address: a page of another site is refused. The token: other users of the machine, and everybody
// once the address is not loopback. Immutable; control thread.
#pragma once

#include <optional>
#include <string>

#include "config/model.hpp"
#include "core/http1/beast_server.hpp"

namespace scrollgate {

enum class Access : std::uint8_t {
    probe,   ///< liveness, readiness, metrics: never a token
    read,    ///< open on loopback, else with the token
    change,  ///< always with the token
};

class Gate {
  public:
    Gate(const config::Admin& admin, std::string secret);

    /// Nothing if the request may pass; else the answer that it gets.
    [[nodiscard]] std::optional<http1::HttpResponse> refusal(const http1::HttpRequest& request,
                                                             Access access) const;

  private:
    [[nodiscard]] bool right_host(const http1::HttpRequest& request) const;
    [[nodiscard]] bool has_token(const http1::HttpRequest& request) const;

    std::string host_;  // as configured, without port
    std::string secret_;
    bool loopback_ = false;
};

}  // namespace scrollgate
