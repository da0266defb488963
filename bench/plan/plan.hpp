// Plan: what a run is to do, checked and complete. Made by the command line, read by everybody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/arrivals.hpp"
#include "core/clock.hpp"
#include "core/message.hpp"

namespace scrollgate::bench {

/// Where requests go. All requests of a run go to one origin.
struct Origin {
    bool tls = false;
    std::string host;  ///< a name or an address, without brackets
    std::uint16_t port = 0;
    std::string authority;  ///< the Host field: with the port unless it is the scheme's own

    bool operator==(const Origin&) const = default;
};

/// One row of a replayed access log.
struct Recorded {
    Duration at{};  ///< from the first row on, at recorded speed
    std::uint8_t method = 0;
    std::string target;
};

struct Plan {
    struct MethodShare {
        std::string name;
        double weight = 1;
    };
    struct Expectation {
        std::uint16_t status_from = 0, status_to = 999;
        std::optional<std::uint64_t> length;
        std::string sha256;  ///< lower-case hex; empty: not checked
    };

    std::string url;  ///< as given
    Origin origin;
    /// Request targets; each may hold `{n}` once, which stands for a number below `keys`.
    std::vector<std::string> targets;
    std::uint64_t keys = 1;
    double zipf = 0;
    std::vector<Recorded> replay;
    double speed = 1;  ///< of the replay; 0: as fast as answers come

    std::vector<MethodShare> methods;  ///< at least one
    std::vector<std::pair<std::string, std::string>> fields;
    std::string
        body;  ///< sent with methods other than GET, HEAD, OPTIONS and TRACE; see has_body()

    unsigned connections = 50;
    unsigned streams = 1;  ///< at a time per connection; HTTP/2 only
    unsigned workers = 1;
    Duration duration = std::chrono::seconds(10);
    std::optional<std::uint64_t> requests;  ///< ends the run, instead of `duration`
    std::vector<Arrivals::Step> rate;       ///< empty: closed loop
    Arrivals::Kind arrivals = Arrivals::Kind::poisson;
    std::optional<Duration> strike;  ///< from the start: a drill breaks something then
    Duration timeout = std::chrono::seconds(30);
    bool verify = true;
    bool resume = false;  ///< a connection's TLS session goes on in the next one; HTTP/1.1 only
    bool http2 = false;
    Expectation expect;
    std::string by;  ///< name of the field that tells who answered; empty: not asked

    /// Whether requests have a time at which they are due, whatever became of those before.
    [[nodiscard]] bool open_loop() const noexcept {
        return !rate.empty() || (!replay.empty() && speed > 0);
    }
    /// Whether a request with this method carries `body`.
    [[nodiscard]] bool has_body(const std::string& method) const {
        return !body.empty() && !is_safe(method_from(method));
    }
};

}  // namespace scrollgate::bench
