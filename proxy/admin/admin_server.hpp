// AdminServer: the admin API and the probes, on the control thread.
//
// It knows how to ask and how to answer; what is true comes from the hooks. The table of routes
// stands at the top of admin_server.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/loader.hpp"
#include "config/model.hpp"
#include "proxy/admin/pool_commands.hpp"
#include "proxy/admin/status.hpp"

namespace boost::asio {
class io_context;
}

namespace scrollgate {

class CacheDesk;

/// What came of a reload.
struct ReloadAnswer {
    bool ok = false;
    std::string file;                         ///< that was loaded
    std::uint64_t snapshot = 0;               ///< id of the new Snapshot, if ok
    std::vector<std::string> not_reloadable;  ///< what has changed and needs a restart: sentences
    std::vector<config::Problem> problems;    ///< errors, or warnings if ok
};

/// The server's side. All are called on the control thread and must not block; all must be set.
struct AdminHooks {
    std::function<Status()> status;
    /// Answers later, on the same thread, exactly once.
    std::function<void(std::function<void(ReloadAnswer)>)> reload;
    /// Answers later, on the same thread, exactly once, or never if the server has gone.
    std::function<void(PoolCommand, PoolCommandDone)> command;
    std::function<std::string()> metrics;                           ///< the Prometheus page
    std::function<bool()> ready;                                    ///< started and not draining
    std::function<std::shared_ptr<const config::Config>()> config;  ///< the one in use
    std::function<CacheDesk&()> cache;
};

class AdminServer {
  public:
    /// `context` is the control thread's and outlives the server.
    AdminServer(boost::asio::io_context& context, const config::Admin& admin, AdminHooks hooks);
    /// Stops.
    ~AdminServer();

    /// Makes or reads the token, binds both addresses. Returns an empty text, or what failed,
    /// where, and what to do. Call once.
    [[nodiscard]] std::string start();
    /// Closes listeners and connections. Idempotent.
    void stop() noexcept;
    /// Bound ports; 0 before start(), and for probes if there is no such address.
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::uint16_t probes_port() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
