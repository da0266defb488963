#include "balancer/report.hpp"

namespace scrollgate {
namespace {

void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
}

/// Writes only what differs: most answers find a run of zero, and the line stays shared.
void end_run(std::atomic<std::uint32_t>& run) noexcept {
    if (run.load(std::memory_order_relaxed) != 0) run.store(0, std::memory_order_relaxed);
}

std::uint32_t lengthen(std::atomic<std::uint32_t>& run) noexcept {
    return run.fetch_add(1, std::memory_order_relaxed) + 1;
}

bool unanswered(EndpointState& state, bool told) noexcept {
    return !told && lengthen(state.unanswered_run) >= limits::unanswered_at_once;
}

}  // namespace

bool report(EndpointState& state, AttemptEnd end, Duration took, TimePoint now,
            bool told) noexcept {
    switch (end) {
        case AttemptEnd::answered:
        case AttemptEnd::server_error: {
            state.last_answer.store(now.time_since_epoch().count(), std::memory_order_relaxed);
            state.latency.observe(took, now);
            state.heads.record(took);
            end_run(state.refused_run);
            end_run(state.unanswered_run);
            end_run(state.turned_back_run);
            if (end == AttemptEnd::answered) {
                count(state.answers);
                end_run(state.error_run);
                return false;
            }
            count(state.server_errors);
            return lengthen(state.error_run) >= limits::outlier_consecutive;
        }
        case AttemptEnd::refused:
            count(state.refused);
            return lengthen(state.refused_run) >= limits::refused_at_once;
        case AttemptEnd::broken:
            count(state.broken);
            return unanswered(state, told);
        case AttemptEnd::silent:
            count(state.silent);
            state.latency.at_least(took, now);
            return unanswered(state, told);
        case AttemptEnd::overdue:
            state.latency.at_least(took, now);
            return unanswered(state, told);
        case AttemptEnd::turned_back:
            return lengthen(state.turned_back_run) >= limits::turned_back_in_a_row;
        case AttemptEnd::given_up:
            state.latency.at_least(took, now);
            return false;
    }
    return false;
}

}  // namespace scrollgate
