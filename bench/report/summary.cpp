#include "bench/report/summary.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"
#include "bench/report/plain_text.hpp"
#include "bench/report/steps.hpp"

namespace scrollgate::bench {
namespace {

using About = LatencyRow::About;

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

std::string connections_text(const Report& report) {
    std::string text = counted(report.connections, "connection", "connections");
    if (report.streams > 1) text += fmt::format(" of {} streams", count_text(report.streams));
    return text;
}

std::string per_second_text(std::uint64_t bytes, Duration elapsed) {
    const double seconds = seconds_of(elapsed);
    return bytes_text(seconds > 0 ? static_cast<double>(bytes) / seconds : 0) + "/s";
}

std::string load_text(const Report& report) {
    if (report.replay_speed) {
        if (*report.replay_speed == 0) return "replay in a closed loop";
        if (*report.replay_speed == 1) return "replay at the recorded speed";
        return fmt::format("replay at {:g} times the recorded speed", *report.replay_speed);
    }
    if (!report.ramp.empty())
        return fmt::format("open loop from {} to {} in {} steps",
                           rate_text(report.ramp.front().rate), rate_text(report.ramp.back().rate),
                           report.ramp.size());
    return report.rate ? "open loop at " + rate_text(*report.rate) : std::string("closed loop");
}

std::vector<Fact> facts_of_run(const Report& report) {
    const Tally& total = report.total;
    std::vector<Fact> facts;
    facts.push_back(
        {"load",
         fmt::format("{}, {}, {}, {}", load_text(report), connections_text(report),
                     counted(report.workers, "worker", "workers"), printable(report.protocol))});
    facts.push_back(
        {"ran", fmt::format("{} from {}{}", duration_text(report.elapsed),
                            printable(report.started), report.interrupted ? ", interrupted" : "")});
    facts.push_back(
        {"requests", fmt::format("{} sent, {} answered, {} failed", count_text(total.requests),
                                 count_text(total.completed()), count_text(total.failed()))});
    std::string rate = rate_text(report.achieved_rate());
    if (report.rate) rate += fmt::format(" of {} wanted", rate_text(*report.rate));
    if (report.behind()) rate += "   !! fell behind";
    facts.push_back({"rate", std::move(rate)});
    facts.push_back({"transfer", fmt::format("{} in ({}), {} out ({})",
                                             bytes_text(static_cast<double>(total.bytes_in)),
                                             per_second_text(total.bytes_in, report.elapsed),
                                             bytes_text(static_cast<double>(total.bytes_out)),
                                             per_second_text(total.bytes_out, report.elapsed))});
    return facts;
}

std::vector<LatencyRow> rows_of(const Report& report) {
    const Tally& total = report.total;
    std::vector<LatencyRow> rows;
    rows.push_back({About::all, report.open_loop ? "all (corrected)" : "all", &total.latency});
    if (report.open_loop) rows.push_back({About::all, "uncorrected", &total.uncorrected});
    if (report.methods.size() > 1) {
        for (std::size_t i = 0; i < report.methods.size(); ++i)
            rows.push_back({About::method, printable(report.methods[i]), &total.by_method[i]});
    }
    for (const auto& [status, histogram] : total.by_status) {
        const std::string name = status == 0 ? "status others" : fmt::format("status {}", status);
        rows.push_back({About::status, name, &histogram});
    }
    // Origins without a cache before them say nothing, and a table that repeats "none" says less.
    const bool cached = std::any_of(
        total.by_cache.begin(), total.by_cache.end(),
        [](const auto& entry) { return entry.first != CacheResult::none && entry.second.count(); });
    for (const auto& [result, histogram] : total.by_cache) {
        if (cached)
            rows.push_back({About::cache, fmt::format("cache {}", name_of(result)), &histogram});
    }
    return rows;
}

std::vector<FailureRow> failures_of(const Tally& total) {
    std::vector<FailureRow> rows;
    for (std::size_t i = 0; i < failures; ++i) {
        if (total.by_failure[i] > 0)
            rows.push_back({std::string(name_of(static_cast<Failure>(i))), total.by_failure[i]});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    return rows;
}

/// ": POST closed 2, GET timeout 1", each failure with its method and reason.
std::string reasons_of(const DrillResult& drill) {
    std::string reasons;
    for (const DrillMethod& method : drill.methods) {
        for (std::size_t i = 0; i < failures; ++i) {
            if (method.by_failure[i] == 0) continue;
            reasons +=
                fmt::format("{}{} {} {}", reasons.empty() ? ": " : ", ", printable(method.name),
                            name_of(static_cast<Failure>(i)), count_text(method.by_failure[i]));
        }
    }
    return reasons;
}

std::string clean_text(std::optional<Duration> until_clean) {
    return until_clean ? "after " + duration_text(*until_clean) : std::string("never");
}

std::vector<DrillRow> drill_rows(const DrillResult& drill) {
    std::vector<DrillRow> rows;
    if (drill.methods.size() < 2) return rows;
    for (const DrillMethod& method : drill.methods)
        rows.push_back({printable(method.name),
                        {count_text(method.requests), count_text(method.failed),
                         duration_text(method.usual), duration_text(method.longest_after),
                         duration_text(method.longest_extra()), clean_text(method.until_clean)}});
    return rows;
}

std::vector<Fact> facts_of_drill(const DrillResult& drill) {
    std::vector<Fact> facts;
    facts.push_back(
        {"broke", fmt::format("{} at {}{}", printable(drill.what), duration_text(drill.at),
                              drill.healed ? ", mended at " + duration_text(*drill.healed)
                                           : std::string(", not mended"))});
    facts.push_back({"in flight on it then", counted(drill.in_flight, "request", "requests")});
    facts.push_back(
        {"failed from then on", counted(drill.failed, "request", "requests") + reasons_of(drill)});
    const Duration more = drill.longest_after - drill.longest_before;
    facts.push_back({"longest latency",
                     fmt::format("{} before, {} after ({}{})", duration_text(drill.longest_before),
                                 duration_text(drill.longest_after),
                                 more > Duration::zero() ? "+" : "", duration_text(more))});
    facts.push_back({"longest extra latency", fmt::format("{} over the usual {} (p99 before)",
                                                          duration_text(drill.longest_extra()),
                                                          duration_text(drill.usual))});
    facts.push_back({"clean again", clean_text(drill.until_clean)});
    return facts;
}

/// Responses per group before, during and after what the drill broke; without a drill all at 0. A
/// slice in which it broke or was mended belongs to the time between.
std::array<std::vector<std::uint64_t>, 3> groups_by_phase(const Report& report) {
    std::array<std::vector<std::uint64_t>, 3> phases;
    const Duration width = report.timeline.width();
    for (const Slice& slice : report.timeline.slices()) {
        const Duration start = width * static_cast<std::int64_t>(slice.index);
        std::size_t phase = 0;
        if (report.drill && start + width > report.drill->at)
            phase = start >= drill_end(report, *report.drill) ? 2 : 1;
        for (std::size_t group = 0; group < slice.by_group.size(); ++group) {
            if (slice.by_group[group] == 0) continue;
            if (phases[phase].size() <= group) phases[phase].resize(group + 1);
            phases[phase][group] += slice.by_group[group];
        }
    }
    return phases;
}

std::vector<ShareRow> shares_of(const Report& report) {
    const auto phases = groups_by_phase(report);
    std::uint64_t all = 0, in_phase[3] = {};
    std::size_t groups = report.groups.size();
    for (std::size_t i = 0; i < phases.size(); ++i) {
        in_phase[i] = std::accumulate(phases[i].begin(), phases[i].end(), std::uint64_t{0});
        all += in_phase[i];
        groups = std::max(groups, phases[i].size());
    }
    std::vector<ShareRow> rows;
    for (std::size_t group = 0; group < groups; ++group) {
        ShareRow row;
        row.name = group_name(report, group);
        std::optional<double> shares[3];
        for (std::size_t i = 0; i < phases.size(); ++i) {
            const std::uint64_t own = group < phases[i].size() ? phases[i][group] : 0;
            row.count += own;
            if (in_phase[i] > 0)
                shares[i] = static_cast<double>(own) / static_cast<double>(in_phase[i]);
        }
        if (all > 0) row.share = static_cast<double>(row.count) / static_cast<double>(all);
        if (report.drill) {
            row.before = shares[0];
            row.during = shares[1];
            row.after = shares[2];
        }
        // "(none)" is worth a row only if somebody answered without the field.
        if (group > 0 || row.count > 0) rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<std::string> marks_of(const Report& report) {
    const Tally& total = report.total;
    std::vector<std::string> marks;
    if (report.behind()) {
        marks.push_back(fmt::format(
            "THE GENERATOR FELL BEHIND: requests left {} late at p99, {} at most{}.",
            duration_text(total.lag.at(0.99)), duration_text(total.lag.max()),
            total.unsent > 0 ? fmt::format("; {} never left", count_text(total.unsent)) : ""));
        marks.emplace_back(
            "These figures hold its own delays. Try more connections, more --workers or a lower "
            "--rate.");
    }
    if (report.interrupted)
        marks.push_back(fmt::format("INTERRUPTED after {}: figures up to that moment.",
                                    duration_text(report.elapsed)));
    if (report.drill && report.drill->in_flight == 0)
        marks.emplace_back(
            "THE DRILL HIT NOTHING: no request was in flight on the victim. It proves nothing.");
    return marks;
}

}  // namespace

Summary summarise(const Report& report) {
    Summary summary;
    summary.tool = printable(report.tool);
    summary.url = printable(report.url);
    summary.run = facts_of_run(report);
    summary.latency = rows_of(report);
    summary.about_latency =
        report.open_loop
            ? "corrected: from when a request was due, so that a stall counts; "
              "uncorrected: from when it left"
            : "closed loop: a slow server is asked less, which hides its worst moments; "
              "--rate shows them";
    for (const StepResult& step : steps_of(report)) {
        StepRow row{rate_text(step.wanted), {rate_text(step.achieved)}};
        for (const Duration value :
             {step.latency.at(0.5), step.latency.at(0.99), step.latency.max()})
            row.cells.push_back(step.latency.count() == 0 ? "-" : duration_text(value));
        row.cells.push_back(count_text(step.failed));
        summary.steps.push_back(std::move(row));
    }
    summary.failures = failures_of(report.total);
    if (!summary.failures.empty())
        summary.failed = fmt::format("{} of {} requests ({})", count_text(report.total.failed()),
                                     count_text(report.total.requests),
                                     share_text(report.total.failed(), report.total.requests));
    if (!report.grouped_by.empty()) {
        summary.grouped_by = printable(report.grouped_by);
        summary.shares = shares_of(report);
    }
    if (report.drill) {
        summary.drill = facts_of_drill(*report.drill);
        summary.drill_methods = drill_rows(*report.drill);
    }
    summary.marks = marks_of(report);
    return summary;
}

std::string quantile_label(std::string_view name) {
    std::string label(name);
    if (label.size() > 3) label.insert(3, 1, '.');
    return label;
}

std::vector<std::string> latency_columns() {
    std::vector<std::string> columns = {"count"};
    for (const auto& [name, value] : shown_quantiles)
        columns.push_back(quantile_label(name));
    columns.insert(columns.end(), {"max", "mean"});
    return columns;
}

std::vector<std::string> latency_cells(const Histogram& histogram) {
    std::vector<std::string> cells = {count_text(histogram.count())};
    const auto cell = [&](Duration value) {
        cells.push_back(histogram.count() == 0 ? "-" : duration_text(value));
    };
    for (const auto& [name, value] : shown_quantiles)
        cell(histogram.at(value));
    cell(histogram.max());
    cell(histogram.mean());
    return cells;
}

std::vector<std::string> step_columns() {
    return {"rate", "p50", "p99", "max", "failed"};
}

std::vector<std::string> drill_columns() {
    return {"ended", "failed", "usual", "longest", "extra", "clean"};
}

std::string share_cell(std::optional<double> share) {
    return share ? fmt::format("{:.1f}%", 100 * *share) : "-";
}

Duration covered_by(const Report& report, std::size_t index) {
    const Duration width = report.timeline.width();
    const Duration left = report.elapsed - width * static_cast<std::int64_t>(index);
    return left > Duration::zero() ? std::min(left, width) : width;
}

Duration drill_end(const Report& report, const DrillResult& drill) {
    if (drill.healed) return std::max(*drill.healed, drill.at);
    if (drill.until_clean) return drill.at + *drill.until_clean;
    return std::max(report.elapsed, drill.at);
}

std::string group_name(const Report& report, std::size_t group) {
    if (group < report.groups.size() && !report.groups[group].empty())
        return printable(report.groups[group]);
    return fmt::format("#{}", group);
}

}  // namespace scrollgate::bench
