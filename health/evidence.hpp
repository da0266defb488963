// Evidence: one reading of what the workers have counted about an endpoint (report.hpp).
#pragma once

#include <cstdint>

#include "balancer/endpoint_state.hpp"

namespace scrollgate {

struct Evidence {
    std::uint64_t answers = 0, server_errors = 0, refused = 0, broken = 0, silent = 0;
    std::uint32_t refused_run = 0, unanswered_run = 0, turned_back_run = 0, error_run = 0;
    std::int64_t last_answer = 0;  ///< Clock's nanoseconds; 0: never

    /// Any thread; the counters may be a moment apart.
    [[nodiscard]] static Evidence of(const EndpointState& state) noexcept {
        constexpr auto relaxed = std::memory_order_relaxed;
        return {state.answers.load(relaxed),        state.server_errors.load(relaxed),
                state.refused.load(relaxed),        state.broken.load(relaxed),
                state.silent.load(relaxed),         state.refused_run.load(relaxed),
                state.unanswered_run.load(relaxed), state.turned_back_run.load(relaxed),
                state.error_run.load(relaxed),      state.last_answer.load(relaxed)};
    }

    /// Attempts that got a final head, whatever it said.
    [[nodiscard]] std::uint64_t heads() const noexcept { return answers + server_errors; }
    /// Attempts that ended against the endpoint.
    [[nodiscard]] std::uint64_t bad() const noexcept {
        return server_errors + refused + broken + silent;
    }
};

}  // namespace scrollgate
