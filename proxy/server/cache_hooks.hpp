// How the cache's desk reaches the rest of the process: workers in turn, control's loop, alarms.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "proxy/caching/cache_desk.hpp"
#include "proxy/server/snapshot.hpp"

namespace scrollgate {

class Worker;

/// `control` and `workers` outlive the desk. `snapshot` is asked on the control thread.
[[nodiscard]] CacheDesk::Hooks cache_hooks(
    boost::asio::io_context& control, const std::vector<std::unique_ptr<Worker>>& workers,
    std::function<std::shared_ptr<const Snapshot>()> snapshot);

}  // namespace scrollgate
