// Names: the addresses of dependencies and webhooks, asked for beside the probes.
//
// Names of endpoints are EndpointWatch's. The answers come from the control thread's resolver; an
// answer that fails keeps what was known. Health's thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/net/address.hpp"

namespace scrollgate {

class Names {
  public:
    using Addresses = std::vector<SocketAddress>;
    /// Gets a name's addresses (port 0); `done` is called on health's thread, or never.
    using Ask = std::function<void(const std::string& host, std::function<void(Addresses)> done)>;

    Names(const Clock& clock, Ask ask) : clock_(clock), ask_(std::move(ask)) {}

    struct Answer {
        Addresses addresses;   ///< at most three; empty if the name does not resolve
        bool pending = false;  ///< nothing is known yet
    };
    /// What is known of it; asks anew when that is older than limits::dependency_names.
    [[nodiscard]] Answer find(const std::string& host, std::uint16_t port);

  private:
    struct Known {
        Addresses addresses;
        TimePoint asked{};
        bool answered = false, asking = false;
    };

    const Clock& clock_;
    const Ask ask_;
    std::map<std::string, Known> known_;  ///< as many as the configuration has had
};

}  // namespace scrollgate
