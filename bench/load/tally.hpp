// Tally: everything that is counted over a whole run, in constant memory.
//
// Each worker has its own and they are added when all have ended. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "bench/load/histogram.hpp"
#include "bench/load/sample.hpp"
#include "bench/load/timeline.hpp"

namespace scrollgate::bench {

struct Tally {
    /// `methods`: how many the plan has.
    explicit Tally(std::size_t methods);

    void count(const Sample& sample);
    void add(const Tally& other);

    /// Requests that got a complete response, as expected or not. Latency counts these.
    [[nodiscard]] std::uint64_t completed() const noexcept { return latency.count(); }
    [[nodiscard]] std::uint64_t failed() const noexcept;

    /// Status codes beyond this many are counted together, under status 0.
    static constexpr std::size_t statuses_max = StatusCounts::most;

    std::uint64_t requests = 0;  ///< that were sent, or tried in vain
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::uint64_t handshakes = 0, resumed = 0;  ///< of TLS; the latter are among the former
    Histogram latency;                          ///< from the intended start
    Histogram uncorrected;                      ///< from the sending
    std::map<std::uint16_t, Histogram> by_status;
    std::map<CacheResult, Histogram> by_cache;
    std::vector<Histogram> by_method;  ///< as the plan numbers them
    std::array<std::uint64_t, failures> by_failure{};

    // -- open loop: how well the generator itself kept up
    Histogram lag{2};          ///< from the intended start to the sending, a connection being free
    std::uint64_t unsent = 0;  ///< due before the end, but all connections were busy until then
};

}  // namespace scrollgate::bench
