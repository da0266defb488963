#include "bench/load/tally.hpp"

#include <cassert>
#include <numeric>

namespace scrollgate::bench {
namespace {

/// The histogram of `key`, or of the rest (0) if there are too many.
Histogram& histogram_of(std::map<std::uint16_t, Histogram>& all, std::uint16_t key) {
    const auto known = all.find(key);
    if (known != all.end()) return known->second;
    return all[all.size() < Tally::statuses_max ? key : std::uint16_t{0}];
}

}  // namespace

Tally::Tally(std::size_t methods) : by_method(methods) {}

void Tally::count(const Sample& sample) {
    ++requests;
    bytes_in += sample.bytes_in;
    bytes_out += sample.bytes_out;
    handshakes += sample.handshake != Sample::Handshake::none;
    resumed += sample.handshake == Sample::Handshake::resumed;
    if (sample.failure) ++by_failure[static_cast<std::size_t>(*sample.failure)];
    if (!sample.complete()) return;
    const Duration took = sample.done - sample.intended;
    latency.record(took);
    uncorrected.record(sample.done - sample.sent);
    histogram_of(by_status, sample.status).record(took);
    by_cache[sample.cache].record(took);
    by_method[sample.method].record(took);
}

void Tally::add(const Tally& other) {
    assert(by_method.size() == other.by_method.size());
    requests += other.requests;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    handshakes += other.handshakes;
    resumed += other.resumed;
    latency.add(other.latency);
    uncorrected.add(other.uncorrected);
    for (const auto& [status, histogram] : other.by_status)
        histogram_of(by_status, status).add(histogram);
    for (const auto& [result, histogram] : other.by_cache)
        by_cache[result].add(histogram);
    for (std::size_t i = 0; i < by_method.size(); ++i)
        by_method[i].add(other.by_method[i]);
    for (std::size_t i = 0; i < failures; ++i)
        by_failure[i] += other.by_failure[i];
    lag.add(other.lag);
    unsent += other.unsent;
}

std::uint64_t Tally::failed() const noexcept {
    return std::accumulate(by_failure.begin(), by_failure.end(), std::uint64_t{0});
}

}  // namespace scrollgate::bench
