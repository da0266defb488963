// Dial: where clients connect to, found out and tried once before a run.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bench/plan/plan.hpp"
#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate::bench {

struct Dial {
    std::vector<SocketAddress> addresses;  ///< taken in turn; at least one
    std::function<std::unique_ptr<Stream>(EventLoop&)> open;
};

/// Resolves the plan's origin and connects once, so that a typing error is told at once and in one
/// line: throws BadInput (url.hpp). Blocks, at most for the plan's timeout or 10 s.
[[nodiscard]] Dial dial_for(const Plan& plan);

}  // namespace scrollgate::bench
