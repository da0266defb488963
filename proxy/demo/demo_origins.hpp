// The three origins of `scrollgate demo`: AWS, GCP and Azure in one process, on loopback ports of
// the system's choice, each with its own latency.
//
// They live on a thread of their own and share nothing with the proxy but the loopback interface:
// the proxy meets them as it would meet any origin. start() and stop() are for the owner's thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/net/address.hpp"

namespace scrollgate::demo {

/// One origin as the configuration needs it.
struct Origin {
    std::string provider, region;
    SocketAddress address;
    std::chrono::milliseconds latency{0};  ///< added to every answer
};

class DemoOrigins {
  public:
    DemoOrigins();
    /// Stops.
    ~DemoOrigins();
    DemoOrigins(const DemoOrigins&) = delete;
    DemoOrigins& operator=(const DemoOrigins&) = delete;

    /// Binds the three and serves them until stop(). Returns an empty text, or what failed and why.
    /// Call once.
    [[nodiscard]] std::string start();
    /// Closes everything and joins the thread. Idempotent.
    void stop() noexcept;
    /// aws, gcp, azure in this order. Their ports are 0 before start().
    [[nodiscard]] const std::vector<Origin>& origins() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate::demo
