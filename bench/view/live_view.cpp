#include "bench/view/live_view.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"
#include "bench/report/plain_text.hpp"

namespace scrollgate::bench {
namespace {

using Tone = LiveLine::Tone;

constexpr std::size_t label_width = 9;
constexpr std::size_t bar_width_max = 40, trend_width_max = 60, group_width_max = 16;
constexpr std::size_t groups_shown = 6;
constexpr std::size_t trend_words = 19;  ///< behind a trend

/// Requests that are through, with a response or without.
std::uint64_t ended(const Slice& total) {
    return total.completed + total.by_class[0];
}

/// How many requests make the run, if that is known.
std::optional<std::uint64_t> requests_wanted(const Plan& plan) {
    if (plan.requests || plan.replay.empty()) return plan.requests;
    return plan.replay.size();
}

double rate_of(const Stretch& stretch) {
    const double length = seconds_of(stretch.length);
    return length > 0 ? static_cast<double>(stretch.sum.completed) / length : 0;
}

std::string rate_words(const Plan& plan, const Progress& progress) {
    std::string text = rate_text(rate_of(progress.recent));
    if (plan.rate.empty()) return text;
    const std::size_t step = Arrivals::step_at(plan.rate, progress.elapsed);
    text += fmt::format(" of {} wanted", rate_text(plan.rate[step].rate));
    if (plan.rate.size() > 1) text += fmt::format(", step {} of {}", step + 1, plan.rate.size());
    return text;
}

std::string latency_words(const SliceHistogram& latency) {
    if (latency.count() == 0) return "no response in the last second";
    return fmt::format("p50 {}  p90 {}  p99 {}  max {}", duration_text(latency.at(0.5)),
                       duration_text(latency.at(0.9)), duration_text(latency.at(0.99)),
                       duration_text(latency.max()));
}

std::string status_words(const Slice& total) {
    std::string text;
    for (const auto& [status, count] : total.by_status.sorted())
        text += fmt::format("{}{} {}", text.empty() ? "" : "  ",
                            status == 0 ? "others" : std::to_string(status), count_text(count));
    return text.empty() ? "none yet" : text;
}

std::string failure_words(const Slice& total) {
    if (total.failed == 0) return "0";
    std::string text =
        fmt::format("{} ({})", count_text(total.failed), share_text(total.failed, ended(total)));
    for (std::size_t i = 0; i < failures; ++i) {
        if (total.by_failure[i] > 0)
            text += fmt::format("  {} {}", name_of(static_cast<Failure>(i)),
                                count_text(total.by_failure[i]));
    }
    return text;
}

/// Empty if no response had Cache-Status.
std::string cache_words(const Slice& total) {
    const std::uint64_t said = total.completed - total.by_cache[0];
    std::string text;
    for (std::size_t i = 1; i < cache_results; ++i) {
        if (total.by_cache[i] > 0)
            text += fmt::format("{}{} {} ({})", text.empty() ? "" : "  ",
                                name_of(static_cast<CacheResult>(i)), count_text(total.by_cache[i]),
                                share_text(total.by_cache[i], said));
    }
    return text;
}

}  // namespace

double done_share(const Plan& plan, const Progress& progress) {
    const std::optional<std::uint64_t> wanted = requests_wanted(plan);
    const double by_count =
        wanted ? static_cast<double>(ended(progress.total)) / static_cast<double>(*wanted) : 0;
    const double by_time =
        plan.requests ? 0 : seconds_of(progress.elapsed) / seconds_of(plan.duration);
    return std::clamp(std::max(by_count, by_time), 0.0, 1.0);
}

std::string LiveView::progress_text(const Progress& progress, std::size_t columns) const {
    const double share = done_share(plan_, progress);
    std::string words = fmt::format("{:3.0f}%  {}", share * 100, clock_text(progress.elapsed, 1));
    if (const auto wanted = requests_wanted(plan_)) {
        words += fmt::format(", {} of {} requests", count_text(ended(progress.total)),
                             count_text(*wanted));
    } else {
        words += " of " + clock_text(plan_.duration, 1);
    }
    const std::size_t taken = columns_of(words) + 1;
    const std::size_t width = std::min(bar_width_max, columns - std::min(columns, taken));
    return bar(share, width) + " " + words;
}

/// Shares of the last second, so that a pool that is lost is seen at once.
void LiveView::add_shares(std::vector<LiveLine>& lines, const Progress& progress,
                          std::size_t columns) const {
    const Slice& recent = progress.recent.sum;
    std::vector<std::pair<std::string, std::uint64_t>> rows;
    std::size_t name_width = 0;
    for (std::size_t i = 0; i < progress.total.by_group.size(); ++i) {
        if (progress.total.by_group[i] == 0) continue;
        const std::uint64_t count = recent.by_group[i];
        const std::string name = i < progress.groups.size() ? printable(progress.groups[i]) : "";
        if (rows.size() == groups_shown) {
            rows.back().first = "others";
            rows.back().second += count;
        } else {
            rows.emplace_back(shorten(name, group_width_max), count);
        }
    }
    for (const auto& [name, count] : rows)
        name_width = std::max(name_width, columns_of(name));
    const std::size_t taken = label_width + name_width + 9;
    const std::size_t width = std::min(bar_width_max / 2, columns - std::min(columns, taken));
    for (const auto& [name, count] : rows) {
        const double share = recent.completed == 0 ? 0
                                                   : static_cast<double>(count) /
                                                         static_cast<double>(recent.completed);
        const std::string padding(name_width - columns_of(name), ' ');
        lines.push_back({&name == &rows.front().first ? "shares" : " ",
                         fmt::format("{}{} {} {:>6}", name, padding, bar(share, width),
                                     share_text(count, recent.completed))});
    }
}

std::vector<LiveLine> LiveView::draw(const Progress& progress, const std::string& note,
                                     std::size_t columns) {
    const SliceHistogram& latency = progress.recent.sum.latency;
    rate_.add(rate_of(progress.recent));
    tail_.add(static_cast<double>(latency.at(0.99).count()));
    const std::size_t taken = label_width + trend_words;
    const std::size_t width =
        std::clamp(columns - std::min(columns, taken), std::size_t{1}, trend_width_max);
    const Slice& total = progress.total;

    std::vector<LiveLine> lines;
    lines.push_back({"", shorten(printable(plan_.url), columns), Tone::title});
    lines.push_back({"", progress_text(progress, columns)});
    if (!note.empty()) lines.push_back({"drill", printable(note)});
    lines.push_back({"rate", rate_words(plan_, progress)});
    lines.push_back({"latency", latency_words(latency)});
    lines.push_back({"status", status_words(total)});
    lines.push_back({"failed", failure_words(total), total.failed > 0 ? Tone::alarm : Tone::plain});
    if (const std::string cache = cache_words(total); !cache.empty())
        lines.push_back({"cache", cache});
    if (!plan_.by.empty()) add_shares(lines, progress, columns);
    lines.push_back({"rate", rate_.blocks(width) + "  at most " + rate_text(rate_.highest())});
    lines.push_back({"p99", tail_.blocks(width) + "  at most " +
                                duration_text(Duration(std::llround(tail_.highest())))});
    for (LiveLine& line : lines) {
        if (!line.label.empty()) line.label.resize(label_width, ' ');
        line.text = cut(line.text, columns - line.label.size());
    }
    return lines;
}

std::string plain_line(const Plan& plan, const Progress& progress, const std::string& note) {
    const SliceHistogram& latency = progress.recent.sum.latency;
    return fmt::format("{:>6}  {}  p50 {}  p99 {}  failed {}{}{}", clock_text(progress.elapsed),
                       rate_words(plan, progress), duration_text(latency.at(0.5)),
                       duration_text(latency.at(0.99)), count_text(progress.total.failed),
                       note.empty() ? "" : "  ", printable(note));
}

}  // namespace scrollgate::bench
