#include "proxy/observe/exposition.hpp"

#include <limits>

#include <prometheus/text_serializer.h>

namespace scrollgate {

void HistogramSum::add(const DurationHistogram& part) noexcept {
    for (std::size_t i = 0; i < buckets.size(); ++i)
        buckets[i] += part.buckets[i].get();
    sum_ns += part.sum_ns.get();
}

void Exposition::start(std::string name, std::string help, prometheus::MetricType type) {
    if (!families_.empty() && families_.back().metric.empty()) families_.pop_back();
    families_.emplace_back();
    families_.back().name = std::move(name);
    families_.back().help = std::move(help);
    families_.back().type = type;
}

void Exposition::counter(std::string name, std::string help) {
    start(std::move(name), std::move(help), prometheus::MetricType::Counter);
}

void Exposition::gauge(std::string name, std::string help) {
    start(std::move(name), std::move(help), prometheus::MetricType::Gauge);
}

void Exposition::histogram(std::string name, std::string help) {
    start(std::move(name), std::move(help), prometheus::MetricType::Histogram);
}

prometheus::ClientMetric& Exposition::metric(const Labels& labels) {
    prometheus::ClientMetric& made = families_.back().metric.emplace_back();
    for (const auto& [name, value] : labels)
        made.label.push_back({name, value});
    return made;
}

void Exposition::add(const Labels& labels, double value) {
    prometheus::ClientMetric& made = metric(labels);
    if (families_.back().type == prometheus::MetricType::Counter) {
        made.counter.value = value;
    } else {
        made.gauge.value = value;
    }
}

void Exposition::add(const Labels& labels, const HistogramSum& value) {
    std::array<double, DurationHistogram::bounds_us.size()> bounds{};
    for (std::size_t i = 0; i < bounds.size(); ++i)
        bounds[i] = static_cast<double>(DurationHistogram::bounds_us[i]) / 1e6;
    add(labels, bounds, value.buckets, static_cast<double>(value.sum_ns) / 1e9);
}

void Exposition::add(const Labels& labels, std::span<const double> bounds,
                     std::span<const std::uint64_t> counts, double sum) {
    prometheus::ClientMetric::Histogram& made = metric(labels).histogram;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        total += counts[i];
        const double bound =
            i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
        made.bucket.push_back({total, bound});
    }
    made.sample_count = total;
    made.sample_sum = sum;
}

std::string Exposition::text() {
    if (!families_.empty() && families_.back().metric.empty()) families_.pop_back();
    return prometheus::TextSerializer().Serialize(families_);
}

}  // namespace scrollgate
