// EndpointState: what is measured about an endpoint's identity, and what health has made of it.
//
// Two parts, each on cache lines of its own. Workers write counts and evidence (report.hpp, Lease,
// ConnectionToken); the health thread alone writes the verdict. All are relaxed atomics: a reader
// may see one of them a moment before another, and must not mind.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "balancer/latency.hpp"
#include "core/clock.hpp"
#include "core/limits.hpp"

namespace scrollgate {

/// Why an endpoint gets no requests, or that it does. The first that holds, in this order of
/// precedence from the end, is what is shown.
enum class Standing : std::uint8_t {
    in,         ///< gets requests, by its score
    ejected,    ///< live traffic showed it to be bad; comes back by itself
    unhealthy,  ///< its active checks fail
    standby,    ///< not scaled in
    drained,    ///< an operator wants it empty
    failed,     ///< game day: its pool is to be treated as lost
};

/// "in", "ejected", … for logs, status and metrics.
[[nodiscard]] constexpr std::string_view standing_text(Standing standing) noexcept {
    constexpr std::string_view texts[] = {"in",      "ejected", "unhealthy",
                                          "standby", "drained", "failed"};
    return texts[static_cast<std::size_t>(standing)];
}

/// Panic may use it: it is out by a verdict, not by somebody's will.
[[nodiscard]] constexpr bool out_by_verdict(Standing standing) noexcept {
    return standing == Standing::ejected || standing == Standing::unhealthy;
}

struct alignas(64) EndpointState {
    /// A hash of the identity that every node agrees on; set when the state is made.
    std::uint64_t tag = 0;

    // -- counts, by workers
    std::atomic<std::uint32_t> in_flight{0};    ///< leases out (Lease keeps it)
    std::atomic<std::uint32_t> connections{0};  ///< open upstream connections (ConnectionToken)
    std::atomic<std::uint64_t> requests{0};     ///< attempts
    std::atomic<std::uint64_t> failures{0};     ///< attempts that ended in an error against it
    std::atomic<std::uint64_t> retries{0};      ///< attempts after the first of their exchange
    std::atomic<std::uint64_t> hedges{0};       ///< attempts beside another one

    // -- evidence, by workers through report(); totals since the start, runs since an answer
    std::atomic<std::uint64_t> answers{0};        ///< final heads below 500
    std::atomic<std::uint64_t> server_errors{0};  ///< final heads from 500 on
    std::atomic<std::uint64_t> refused{0};        ///< connections turned away
    std::atomic<std::uint64_t> broken{0};         ///< other connects that failed, resets, nonsense
    std::atomic<std::uint64_t> silent{0};         ///< deadlines that passed without a head
    std::atomic<std::uint32_t> refused_run{0};
    std::atomic<std::uint32_t> unanswered_run{0};   ///< of broken, silent and overdue attempts
    std::atomic<std::uint32_t> turned_back_run{0};  ///< of requests that it would not take
    std::atomic<std::uint32_t> error_run{0};        ///< 5xx in a row
    std::atomic<std::int64_t> last_answer{0};       ///< Clock's nanoseconds; 0: never
    PeakEwma latency;                               ///< to the final head
    LatencyWindow heads;                            ///< likewise; the health thread rotates it
    LatencyWindow connects;  ///< those that succeeded; rotated, too, but never empty again

    // -- verdict, by the health thread
    alignas(64) std::atomic<Standing> standing{Standing::in};
    std::atomic<float> score{1};  ///< in [0, 1]: the product of the parts
    std::atomic<float> check_part{1}, success_part{1}, latency_part{1}, ramp_part{1},
        dependency_part{1};
    std::atomic<std::uint64_t> ejections{0};

    // -- how the evidence of this moment reads; any thread
    /// Attempts have broken off or are overdue, and no answer has come since: it may be gone. Who
    /// asks it now should not wait for it as long as for others.
    [[nodiscard]] bool missed_one() const noexcept {
        return unanswered_run.load(std::memory_order_relaxed) > 0;
    }
    /// Attempts in a row went without an answer: as good as sure.
    [[nodiscard]] bool gone_silent() const noexcept {
        return unanswered_run.load(std::memory_order_relaxed) >= limits::unanswered_at_once;
    }
    /// Answers in a row were errors, which the others may give or not, and the last is not so old
    /// that it says nothing any more.
    [[nodiscard]] bool gives_errors(TimePoint now) const noexcept {
        if (error_run.load(std::memory_order_relaxed) < limits::outlier_consecutive) return false;
        const Duration last{last_answer.load(std::memory_order_relaxed)};
        return now.time_since_epoch() - last < limits::evidence_memory;
    }
    /// So many of its answers are errors that clients and keys whose home it is leave it.
    [[nodiscard]] bool is_bad_home() const noexcept {
        return success_part.load(std::memory_order_relaxed) < limits::home_success_part;
    }
};

/// What all endpoints of one pool share, over all workers.
struct alignas(64) PoolState {
    std::atomic<std::uint32_t> in_flight{0};    ///< leases out, while the pool has a limit on them
    std::atomic<std::uint32_t> connections{0};  ///< open upstream connections
    std::atomic<std::uint32_t> pending{0};      ///< requests that wait for room in the pool
    /// Goes up after any verdict on one of the pool's endpoints has changed: whoever keeps weights
    /// made of verdicts makes them anew. On a line that nothing else dirties.
    alignas(64) std::atomic<std::uint64_t> epoch{0};
};

}  // namespace scrollgate
