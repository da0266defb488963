// Building blocks of the metrics page: families in Prometheus' words, written by its own
// serializer.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "proxy/observe/series.hpp"

namespace scrollgate {

/// A histogram summed over workers.
struct HistogramSum {
    std::array<std::uint64_t, DurationHistogram::bounds_us.size() + 1> buckets{};
    std::uint64_t sum_ns = 0;

    void add(const DurationHistogram& part) noexcept;
};

class Exposition {
  public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    /// Starts a family; what is added next belongs to it. One without metrics is left out.
    void counter(std::string name, std::string help);
    void gauge(std::string name, std::string help);
    void histogram(std::string name, std::string help);

    void add(const Labels& labels, double value);
    void add(const Labels& labels, std::uint64_t value) { add(labels, static_cast<double>(value)); }
    void add(const Labels& labels, const HistogramSum& value);
    /// `counts` by upper bound, in seconds, and one more for what is beyond the last; their `sum`.
    void add(const Labels& labels, std::span<const double> bounds,
             std::span<const std::uint64_t> counts, double sum);

    /// Prometheus text format 0.0.4. Last call.
    [[nodiscard]] std::string text();

  private:
    void start(std::string name, std::string help, prometheus::MetricType type);
    prometheus::ClientMetric& metric(const Labels& labels);

    std::vector<prometheus::MetricFamily> families_;
};

}  // namespace scrollgate
