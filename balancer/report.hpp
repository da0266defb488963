// How an attempt ended, told to the endpoint's evidence. Health judges; nobody else does.
#pragma once

#include <cstdint>

#include "balancer/endpoint_state.hpp"
#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

enum class AttemptEnd : std::uint8_t {
    answered,      ///< a final head below 500
    server_error,  ///< a final head from 500 on
    refused,       ///< the connection was refused, or there is no way there
    broken,        ///< connect failed otherwise, reset or closed before the head, not HTTP
    silent,        ///< a deadline passed without a head (or without a connection)
    overdue,       ///< under way still, and long past what is usual; told at most once per attempt
    turned_back,   ///< the connection takes no request, though it is there: REFUSED_STREAM, GOAWAY
    given_up,      ///< called off by us: `took` is a lower bound, not a failure
};

/// Counts the end of an attempt that lasted `took`. With `told`, it was reported as overdue before
/// and is in the row of those without an answer already. True if health should look at once: the
/// endpoint has been refusing or silent often enough in a row to be judged now. Any thread.
[[nodiscard]] bool report(EndpointState& state, AttemptEnd end, Duration took, TimePoint now,
                          bool told = false) noexcept;

}  // namespace scrollgate
