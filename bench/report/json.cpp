#include "bench/report/json.hpp"

#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "bench/report/json_layout.hpp"
#include "bench/report/plain_text.hpp"
#include "bench/report/steps.hpp"
#include "bench/report/summary.hpp"

namespace scrollgate::bench {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

double finite(double number) {
    return std::isfinite(number) ? number : 0;
}

template <class Number>
value or_null(const std::optional<Number>& number) {
    return number ? value(finite(*number)) : value(nullptr);
}

value seconds_or_null(const std::optional<Duration>& duration) {
    return duration ? value(seconds_of(*duration)) : value(nullptr);
}

/// Status codes beyond a bound are counted as 0.
std::string status_key(std::uint16_t status) {
    return status == 0 ? "others" : std::to_string(status);
}

object latency_object(const Histogram& histogram) {
    object out;
    out["mean"] = milliseconds(histogram.mean());
    for (const auto& [name, quantile] : shown_quantiles)
        out[name] = milliseconds(histogram.at(quantile));
    out["max"] = milliseconds(histogram.max());
    return out;
}

object counted_latency(const Histogram& histogram) {
    return object{{"count", histogram.count()}, {"latency_ms", latency_object(histogram)}};
}

void write_breakdowns(object& out, const Report& report) {
    const Tally& total = report.total;
    object by_failure, by_status, by_cache, by_method;
    for (std::size_t i = 0; i < failures; ++i) {
        if (total.by_failure[i] > 0)
            by_failure[name_of(static_cast<Failure>(i))] = total.by_failure[i];
    }
    for (const auto& [status, histogram] : total.by_status)
        by_status[status_key(status)] = counted_latency(histogram);
    for (const auto& [result, histogram] : total.by_cache)
        by_cache[name_of(result)] = counted_latency(histogram);
    for (std::size_t i = 0; i < report.methods.size(); ++i)
        by_method[valid_utf8(report.methods[i])] = counted_latency(total.by_method[i]);
    out["failures"] = std::move(by_failure);
    out["statuses"] = std::move(by_status);
    out["cache"] = std::move(by_cache);
    out["methods"] = std::move(by_method);
}

/// Two groups that differ only in bytes that are no text share one name: their counts are added.
void add_to(object& counts, const std::string& name, std::uint64_t count) {
    value& sum = counts[name];
    sum = count + (sum.is_null() ? 0 : sum.to_number<std::uint64_t>());
}

object slice_object(const Report& report, const Slice& slice) {
    const Duration covered = covered_by(report, slice.index);
    object classes{{"none", slice.by_class[0]}}, statuses, failed, cache, groups;
    for (std::size_t i = 1; i < slice.by_class.size(); ++i)
        classes[fmt::format("{}xx", i)] = slice.by_class[i];
    for (const auto& [status, count] : slice.by_status.sorted())
        statuses[status_key(status)] = count;
    for (std::size_t i = 0; i < failures; ++i)
        if (slice.by_failure[i] > 0) failed[name_of(static_cast<Failure>(i))] = slice.by_failure[i];
    for (std::size_t i = 0; i < cache_results; ++i)
        cache[name_of(static_cast<CacheResult>(i))] = slice.by_cache[i];
    if (!report.grouped_by.empty()) {
        for (std::size_t i = 0; i < slice.by_group.size(); ++i)
            if (slice.by_group[i] > 0) add_to(groups, group_name(report, i), slice.by_group[i]);
    }
    return object{
        {"t_s", seconds_of(report.timeline.width() * static_cast<std::int64_t>(slice.index))},
        {"covered_s", seconds_of(covered)},
        {"completed", slice.completed},
        {"failed", slice.failed},
        {"rate", finite(static_cast<double>(slice.completed) / seconds_of(covered))},
        {"bytes_in", slice.bytes_in},
        {"p50_ms", milliseconds(slice.latency.at(0.5))},
        {"p99_ms", milliseconds(slice.latency.at(0.99))},
        {"max_ms", milliseconds(slice.latency.max())},
        {"classes", std::move(classes)},
        {"statuses", std::move(statuses)},
        {"failures", std::move(failed)},
        {"cache", std::move(cache)},
        {"groups", std::move(groups)}};
}

array steps_array(const Report& report) {
    array steps;
    for (const StepResult& step : steps_of(report))
        steps.push_back(object{{"wanted", step.wanted},
                               {"achieved", finite(step.achieved)},
                               {"at_s", seconds_of(step.at)},
                               {"length_s", seconds_of(step.length)},
                               {"completed", step.latency.count()},
                               {"failed", step.failed},
                               {"latency_ms", latency_object(step.latency)}});
    return steps;
}

object timeline_object(const Report& report) {
    array slices;
    for (const Slice& slice : report.timeline.slices())
        slices.push_back(slice_object(report, slice));
    return object{{"width_ms", milliseconds(report.timeline.width())},
                  {"slices", std::move(slices)}};
}

value groups_value(const Summary& summary) {
    if (summary.grouped_by.empty()) return nullptr;
    object completed;
    for (const ShareRow& row : summary.shares)
        add_to(completed, row.name, row.count);
    return object{{"by", summary.grouped_by}, {"completed", std::move(completed)}};
}

value until_clean_value(std::optional<Duration> until_clean) {
    return until_clean ? value(milliseconds(*until_clean)) : value(nullptr);
}

object drill_method_object(const DrillMethod& method) {
    object by_failure;
    for (std::size_t i = 0; i < failures; ++i)
        if (method.by_failure[i] > 0)
            by_failure[name_of(static_cast<Failure>(i))] = method.by_failure[i];
    return object{{"requests", method.requests},
                  {"failed", method.failed},
                  {"failures", std::move(by_failure)},
                  {"usual_ms", milliseconds(method.usual)},
                  {"longest_before_ms", milliseconds(method.longest_before)},
                  {"longest_after_ms", milliseconds(method.longest_after)},
                  {"longest_extra_ms", milliseconds(method.longest_extra())},
                  {"until_clean_ms", until_clean_value(method.until_clean)}};
}

value drill_value(const Report& report, const Summary& summary) {
    if (!report.drill) return nullptr;
    const DrillResult& drill = *report.drill;
    object shares, methods;
    for (const DrillMethod& method : drill.methods)
        methods[valid_utf8(method.name)] = drill_method_object(method);
    for (const ShareRow& row : summary.shares)
        shares[row.name] = object{{"before", or_null(row.before)},
                                  {"during", or_null(row.during)},
                                  {"after", or_null(row.after)}};
    return object{{"what", valid_utf8(drill.what)},
                  {"at_s", seconds_of(drill.at)},
                  {"healed_s", seconds_or_null(drill.healed)},
                  {"in_flight", drill.in_flight},
                  {"failed", drill.failed},
                  {"longest_before_ms", milliseconds(drill.longest_before)},
                  {"longest_after_ms", milliseconds(drill.longest_after)},
                  {"longest_extra_ms", milliseconds(drill.longest_extra())},
                  {"usual_ms", milliseconds(drill.usual)},
                  {"until_clean_ms", until_clean_value(drill.until_clean)},
                  {"methods", std::move(methods)},
                  {"shares", std::move(shares)}};
}

}  // namespace

std::string json_text(const Report& report) {
    const Tally& total = report.total;
    const Summary summary = summarise(report);
    array arguments;
    for (const std::string& argument : report.arguments)
        arguments.emplace_back(valid_utf8(argument));
    object out;
    out["tool"] = valid_utf8(report.tool);
    out["url"] = valid_utf8(report.url);
    out["protocol"] = valid_utf8(report.protocol);
    out["started"] = valid_utf8(report.started);
    out["arguments"] = std::move(arguments);
    out["connections"] = report.connections;
    out["streams"] = report.streams;
    out["workers"] = report.workers;
    out["loop"] = report.open_loop ? "open" : "closed";
    out["rate"] =
        object{{"wanted", or_null(report.rate)}, {"achieved", finite(report.achieved_rate())}};
    out["replay_speed"] = or_null(report.replay_speed);
    out["duration_s"] = seconds_of(report.elapsed);
    out["interrupted"] = report.interrupted;
    out["behind"] = report.behind();
    object lag = latency_object(total.lag);
    out["generator"] = object{{"lag_ms", std::move(lag)}, {"unsent", total.unsent}};
    out["requests"] = total.requests;
    out["completed"] = total.completed();
    out["failed"] = total.failed();
    out["bytes"] = object{{"in", total.bytes_in}, {"out", total.bytes_out}};
    out["tls"] = object{{"handshakes", total.handshakes}, {"resumed", total.resumed}};
    out["latency_ms"] = latency_object(total.latency);
    out["uncorrected_ms"] = latency_object(total.uncorrected);
    write_breakdowns(out, report);
    out["steps"] = steps_array(report);
    out["groups"] = groups_value(summary);
    out["drill"] = drill_value(report, summary);
    out["timeline"] = timeline_object(report);
    return json_layout(out);
}

}  // namespace scrollgate::bench
