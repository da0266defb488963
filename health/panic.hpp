// PanicWatch: which routes have nothing that is well, so that picks try what verdicts have put out
// (balancer/levels). The same rule on standings, told once for the whole process: a worker's
// balancer knows of its panic only when it picks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model.hpp"
#include "health/status.hpp"
#include "health/watched.hpp"

namespace scrollgate {

/// A value; one thread.
class PanicWatch {
  public:
    /// The routes from now on. One that keeps its name keeps its state.
    void update(const config::Config& config);
    /// Reads all standings; `pools` in the order of the configuration. Says when a panic begins or
    /// ends; true if one did.
    bool look(const std::vector<std::unique_ptr<WatchedPool>>& pools,
              const std::function<void(const std::string&)>& say);
    /// Every route that has pools, in the file's order.
    [[nodiscard]] std::vector<HealthStatus::Route> status() const;

  private:
    struct Watched {
        std::string name;
        std::vector<std::size_t> pools;  ///< by their place in the configuration
        bool panicking = false;
        bool had_some = false;      ///< that could be tried, at the last look
        bool told_of_none = false;  ///< that there are none
    };
    std::vector<Watched> routes_;
};

}  // namespace scrollgate
