// Server: the process. The control thread's side of everything: workers, listeners, admin, DNS,
// signals, reload and the way to the end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/loader.hpp"

namespace scrollgate {

class Server {
  public:
    struct Options {
        std::string file;  ///< for messages; empty: no file (proxy, demo)
        /// Reads the configuration anew, for reload.
        std::function<config::Loaded()> load;
        /// Called once when everything listens, on the control thread.
        std::function<void()> on_ready;
    };

    /// `config` has been validated. Throws std::runtime_error with what, where and what to do when
    /// something cannot be had (addresses, files, admin token).
    Server(config::Config config, Options options);
    ~Server();

    /// Serves until SIGTERM or SIGINT, drains, and returns the exit code.
    int run();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
