// Statistics: what the clients of one worker count. Written by that worker's thread only; any
// thread reads.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "core/clock.hpp"

namespace scrollgate::redis {

/// Whether commands go anywhere.
enum class State : std::uint8_t {
    connecting,  ///< for the first time
    up,          ///< the server answers; of a cluster: at least one of its nodes
    open,        ///< lost, or its breaker is open: left alone but for a probe now and then
};

struct alignas(64) Statistics {
    using Counter = std::atomic<std::uint64_t>;

    std::atomic<State> state{State::connecting};
    Counter nodes{0};     ///< that are known
    Counter nodes_up{0};  ///< of these: connected and answering
    Counter pending{0};   ///< commands that were sent or wait to be, forgotten ones included
    Counter pending_bytes{0};

    Counter asked{0}, told{0};  ///< commands that were taken
    Counter answered{0};        ///< of those asked, in time
    Counter errors{0};          ///< answers that were errors, redirections excepted
    Counter late{0};            ///< deadlines that passed
    Counter refused{0};         ///< asked, and failed at once: not connected, or breaker open
    Counter dropped{0};         ///< told, and not sent: the same, or too many
    Counter lost{0};            ///< under way when the connection broke
    Counter writes_held{0};     ///< writes that failed at once because the server takes none
    Counter connects{0}, breaks{0}, openings{0}, redirects{0}, refreshes{0};
    Counter bytes_in{0}, bytes_out{0};

    /// How long answers took that came in time: latency[i] counts those below 2^i microseconds and
    /// not in the one before (the last one: all others).
    static constexpr std::size_t buckets = 24;
    using Latency = std::array<std::uint64_t, buckets>;  ///< as read
    std::array<Counter, buckets> latency{};
    Counter latency_us{0};  ///< their sum

    void took(Duration span) noexcept {
        const auto us = static_cast<std::uint64_t>(span.count() > 0 ? span.count() / 1000 : 0);
        const auto bucket = static_cast<std::size_t>(std::bit_width(us));
        add(latency[bucket < latency.size() ? bucket : latency.size() - 1], 1);
        add(latency_us, us);
    }
    /// Only the writing thread: no locked instruction needed.
    static void add(Counter& counter, std::uint64_t by) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
};

}  // namespace scrollgate::redis
