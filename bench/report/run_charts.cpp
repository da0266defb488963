#include "bench/report/run_charts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/report/chart.hpp"
#include "bench/report/duration_text.hpp"
#include "bench/report/markup.hpp"
#include "bench/report/summary.hpp"

namespace scrollgate::bench {
namespace {

/// One entry of a legend.
struct Key {
    std::string colour, name;
};

std::string section(std::string_view title, std::string_view about, const std::vector<Key>& keys,
                    const Chart& chart) {
    std::string legend;
    for (const Key& key : keys)
        legend += fmt::format("<span><i class=\"swatch {}\"></i>{}</span>", key.colour,
                              escaped(key.name));
    return fmt::format(
        "<section>\n<h2>{}</h2><p class=\"about\">{}</p>\n<p class=\"legend\">{}</p>\n"
        "<div class=\"scroll\">{}</div></section>\n",
        escaped(title), escaped(about), legend, chart.svg());
}

double nanoseconds(Duration duration) {
    return static_cast<double>(duration.count());
}

/// Where a slice stands on the time axis, in seconds.
struct Span {
    double from = 0, to = 0;
};

Span span_of(const Report& report, const Slice& slice) {
    const Duration start = report.timeline.width() * static_cast<std::int64_t>(slice.index);
    return {seconds_of(start), seconds_of(start + covered_by(report, slice.index))};
}

std::string when(const Report& report, const Slice& slice) {
    return "at " + duration_text(report.timeline.width() * static_cast<std::int64_t>(slice.index));
}

/// The run, in all charts over time alike.
Axis run_axis(const Report& report) {
    const Duration slices =
        report.timeline.width() * static_cast<std::int64_t>(report.timeline.slices().size());
    return time_axis(report.elapsed > Duration::zero() ? report.elapsed : slices);
}

void mark_drill(Chart& chart, const Report& report) {
    if (!report.drill) return;
    chart.band(seconds_of(report.drill->at), seconds_of(drill_end(report, *report.drill)),
               report.drill->what);
}

std::string per_slice(const Report& report, std::string_view what) {
    return fmt::format("{} {}", what, duration_text(report.timeline.width()));
}

/// What came in a rest of a slice says little of rate and shares: the last one counts from half its
/// width on.
bool has_rate(const Report& report, const Slice& slice) {
    return slice.index == 0 || covered_by(report, slice.index) * 2 >= report.timeline.width();
}

struct StatusClass {
    std::size_t index;
    const char *colour, *name;
};
constexpr StatusClass status_classes[] = {{2, "s2", "2xx"}, {3, "s3", "3xx"},
                                          {4, "s4", "4xx"}, {5, "s5", "5xx"},
                                          {1, "s1", "1xx"}, {0, "s0", "no response"}};

std::vector<StatusClass> classes_seen(const Report& report) {
    std::vector<StatusClass> seen;
    for (const StatusClass& row : status_classes) {
        const auto slices = report.timeline.slices();
        if (std::any_of(slices.begin(), slices.end(),
                        [&](const Slice& slice) { return slice.by_class[row.index] > 0; }))
            seen.push_back(row);
    }
    return seen;
}

/// The rate that was asked for; empty if none was.
std::vector<std::optional<Point>> wanted_line(const Report& report) {
    std::vector<std::optional<Point>> line;
    if (!report.rate) return line;
    if (report.ramp.empty())
        return {Point{0, *report.rate}, Point{seconds_of(report.elapsed), *report.rate}};
    Duration at{};
    for (const Arrivals::Step& step : report.ramp) {
        if (at >= report.elapsed) break;
        line.push_back(Point{seconds_of(at), step.rate});
        at += step.length;
        line.push_back(Point{seconds_of(std::min(at, report.elapsed)), step.rate});
    }
    return line;
}

/// Status codes and failures of a slice, each on a line of its own.
std::string outcomes_of(const Slice& slice) {
    std::string text;
    for (const auto& [status, count] : slice.by_status.sorted())
        text += fmt::format("\n{} {}", status == 0 ? "others" : std::to_string(status),
                            count_text(count));
    for (std::size_t i = 0; i < failures; ++i) {
        if (slice.by_failure[i] > 0)
            text += fmt::format("\nfailed: {} {}", name_of(static_cast<Failure>(i)),
                                count_text(slice.by_failure[i]));
    }
    return text;
}

}  // namespace

std::string latency_section(const Report& report) {
    std::vector<std::optional<Point>> p50, p99, max;
    Duration least = Duration::max(), most{};
    for (const Slice& slice : report.timeline.slices()) {
        if (slice.latency.count() == 0) continue;
        least = std::min(least, slice.latency.at(0.5));
        most = std::max(most, slice.latency.max());
    }
    if (least > most) least = most = Duration(std::chrono::milliseconds(1));
    Chart chart(run_axis(report), latency_axis(least, most), "time",
                "Latency over time: p50, p99 and max");
    for (const Slice& slice : report.timeline.slices()) {
        const auto [from, to] = span_of(report, slice);
        if (slice.latency.count() == 0) {
            for (auto* line : {&p50, &p99, &max})
                line->emplace_back();
            chart.tip(from, to, when(report, slice) + "\nno response");
            continue;
        }
        const Duration values[] = {slice.latency.at(0.5), slice.latency.at(0.99),
                                   slice.latency.max()};
        const double middle = (from + to) / 2;
        p50.push_back(Point{middle, nanoseconds(values[0])});
        p99.push_back(Point{middle, nanoseconds(values[1])});
        max.push_back(Point{middle, nanoseconds(values[2])});
        chart.tip(from, to,
                  fmt::format("{}\nmax {}\np99 {}\np50 {}\n{} responses", when(report, slice),
                              duration_text(values[2]), duration_text(values[1]),
                              duration_text(values[0]), count_text(slice.completed)));
    }
    chart.line(p99, "p99");
    chart.line(max, "max");  // thinner: where both are the same, both are seen
    chart.line(p50, "p50");
    mark_drill(chart, report);
    return section("Latency over time", per_slice(report, "of each"),
                   {{"max", "max"}, {"p99", "p99"}, {"p50", "p50"}}, chart);
}

std::string percentile_section(const Report& report) {
    struct Curve {
        Key key;
        const Histogram* histogram;
    };
    std::vector<Curve> curves;
    for (const LatencyRow& row : summarise(report).latency) {
        const bool cached = row.about == LatencyRow::About::cache;
        if (row.histogram->count() == 0) continue;
        if (row.about == LatencyRow::About::all)
            curves.push_back({{curves.empty() ? "all" : "raw", row.name}, row.histogram});
        else if (cached && row.histogram->count() < report.total.completed())
            curves.push_back({{"c-" + row.name.substr(6), row.name}, row.histogram});
    }
    Duration least = Duration::max(), most{};
    for (const Curve& curve : curves) {
        least = std::min(least, curve.histogram->min());
        most = std::max(most, curve.histogram->max());
    }
    if (curves.empty()) least = most = Duration(std::chrono::milliseconds(1));
    const Axis x = percentile_axis(report.total.completed());
    Chart chart(x, latency_axis(least, most), "percentile", "Latency by percentile");
    constexpr double step = 0.025;
    const int points = static_cast<int>(std::ceil(x.to / step));
    std::vector<std::vector<std::optional<Point>>> lines(curves.size());
    for (int i = 0; i <= points; ++i) {
        const double nines = std::min(i * step, x.to);
        const double quantile = i == points ? 1 : 1 - std::pow(10, -nines);
        const int digits = std::max(1, static_cast<int>(std::ceil(nines)) - 1);
        std::string tip = fmt::format("{:.{}f}%", 100 * quantile, i == points ? 0 : digits);
        for (std::size_t c = 0; c < curves.size(); ++c) {
            const Duration value = curves[c].histogram->at(quantile);
            lines[c].push_back(Point{nines, nanoseconds(value)});
            tip += fmt::format("\n{} {}", curves[c].key.name, duration_text(value));
        }
        chart.tip(std::max(0.0, nines - step / 2), std::min(x.to, nines + step / 2), tip);
    }
    std::vector<Key> keys;
    for (std::size_t c = curves.size(); c-- > 0;)
        chart.line(lines[c], curves[c].key.colour);
    for (const Curve& curve : curves)
        keys.push_back(curve.key);
    return section("Latency by percentile", "the right end is the maximum", keys, chart);
}

std::string status_section(const Report& report) {
    const std::vector<StatusClass> classes = classes_seen(report);
    double most = 0;
    const auto rate_of = [&](std::uint64_t count, const Slice& slice) {
        return static_cast<double>(count) / seconds_of(covered_by(report, slice.index));
    };
    for (const Slice& slice : report.timeline.slices()) {
        const auto all =
            std::accumulate(slice.by_class.begin(), slice.by_class.end(), std::uint64_t{0});
        if (has_rate(report, slice)) most = std::max(most, rate_of(all, slice));
    }
    const std::vector<std::optional<Point>> wanted = wanted_line(report);
    for (const std::optional<Point>& point : wanted)
        most = std::max(most, point->y);
    Chart chart(run_axis(report), rate_axis(most), "time", "Responses per second by status");
    std::vector<std::vector<Bar>> bars(classes.size());
    for (const Slice& slice : report.timeline.slices()) {
        if (!has_rate(report, slice)) continue;
        const auto [from, to] = span_of(report, slice);
        double below = 0;
        std::string tip =
            fmt::format("{}\n{}", when(report, slice), rate_text(rate_of(slice.completed, slice)));
        for (std::size_t c = 0; c < classes.size(); ++c) {
            const std::uint64_t count = slice.by_class[classes[c].index];
            const double above = below + rate_of(count, slice);
            bars[c].push_back({from, to, below, above});
            below = above;
        }
        chart.tip(from, to, tip + outcomes_of(slice));
    }
    std::vector<Key> keys;
    for (std::size_t c = 0; c < classes.size(); ++c) {
        chart.bars(bars[c], classes[c].colour);
        keys.push_back({classes[c].colour, classes[c].name});
    }
    if (!wanted.empty()) {
        chart.line(wanted, "wanted");
        keys.push_back({"wanted", "wanted"});
    }
    mark_drill(chart, report);
    return section("Throughput and status", per_slice(report, "responses per second, over each"),
                   keys, chart);
}

namespace {

constexpr std::size_t group_colours = 8;

/// Which groups have a colour of their own, most frequent first; the last colour is for all others
/// if there are more groups than colours.
std::vector<std::size_t> coloured_groups(const Report& report) {
    std::vector<std::uint64_t> counts(report.groups.size());
    for (const Slice& slice : report.timeline.slices()) {
        counts.resize(std::max(counts.size(), slice.by_group.size()));
        for (std::size_t i = 0; i < slice.by_group.size(); ++i)
            counts[i] += slice.by_group[i];
    }
    std::vector<std::size_t> groups;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] > 0) groups.push_back(i);
    if (groups.size() > group_colours) {
        std::stable_sort(groups.begin(), groups.end(),
                         [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
        groups.resize(group_colours - 1);
    }
    return groups;
}

}  // namespace

std::string group_section(const Report& report) {
    if (report.grouped_by.empty()) return {};
    const std::vector<std::size_t> groups = coloured_groups(report);
    Chart chart(run_axis(report), share_axis(), "time", "Share of the responses by group");
    std::vector<std::vector<Bar>> bars(groups.size() + 1);  // the last: all others
    bool others = false;
    for (const Slice& slice : report.timeline.slices()) {
        if (!has_rate(report, slice)) continue;
        const auto [from, to] = span_of(report, slice);
        const auto all = static_cast<double>(slice.completed);
        std::string tip = when(report, slice);
        double below = 0;
        for (std::size_t g = 0; g < groups.size() && all > 0; ++g) {
            const std::uint64_t count = slice.by_group[groups[g]];
            const double above = below + static_cast<double>(count) / all;
            bars[g].push_back({from, to, below, above});
            below = above;
            tip += fmt::format("\n{} {}", group_name(report, groups[g]),
                               share_text(count, slice.completed));
        }
        if (all > 0 && below < 1 - 0.5 / all) {
            bars.back().push_back({from, to, below, 1});
            tip += fmt::format("\nothers {}", share_cell(1 - below));
            others = true;
        }
        chart.tip(from, to, all > 0 ? tip : tip + "\nno response");
    }
    std::vector<Key> keys;
    for (std::size_t g = 0; g < groups.size(); ++g)
        keys.push_back({fmt::format("g{}", g), group_name(report, groups[g])});
    if (others) keys.push_back({"rest", "others"});
    for (std::size_t g = 0; g < groups.size(); ++g)
        chart.bars(bars[g], keys[g].colour);
    chart.bars(bars.back(), "rest");
    mark_drill(chart, report);
    return section(fmt::format("Share by {}", report.grouped_by),
                   per_slice(report, "of the responses of each"), keys, chart);
}

}  // namespace scrollgate::bench
