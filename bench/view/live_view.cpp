#include "bench/view/live_view.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"
#include "bench/report/plain_text.hpp"

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t bar_width_max = 50;
constexpr std::size_t groups_shown = 6;

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

Slice sum_of(std::span<const Slice> slices) {
    Slice sum;
    for (const Slice& slice : slices)
        sum.add(slice);
    return sum;
}

/// The slices of about the last second, without the one that is still being filled.
std::span<const Slice> last_second(const Timeline& timeline) {
    const std::span<const Slice> all = timeline.slices();
    if (all.size() < 2) return all;
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(1, 1s / timeline.width()));
    const std::size_t whole = all.size() - 1;
    return all.subspan(whole - std::min(wanted, whole), std::min(wanted, whole));
}

/// "▁▃█": the values as heights, the largest one full; neighbours share a column if they must.
std::string sparkline(const std::vector<double>& values, std::size_t columns) {
    constexpr std::string_view heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const std::size_t per_column =
        std::max<std::size_t>(1, (values.size() + columns - 1) / columns);
    std::vector<double> means;
    for (std::size_t i = 0; i < values.size(); i += per_column) {
        const std::size_t end = std::min(values.size(), i + per_column);
        double sum = 0;
        for (std::size_t k = i; k < end; ++k)
            sum += values[k];
        means.push_back(sum / static_cast<double>(end - i));
    }
    const double most = means.empty() ? 0 : *std::max_element(means.begin(), means.end());
    std::string text;
    for (const double mean : means)
        text += heights[most > 0 ? static_cast<std::size_t>(mean / most * 7.0 + 0.5) : 0];
    return text;
}

std::string bar(double share, std::size_t width) {
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    std::string text = "[";
    for (std::size_t i = 0; i < width; ++i)
        text += i < full ? "█" : "·";
    return text + "]";
}

std::string progress_text(const Plan& plan, const Progress& progress, std::size_t columns) {
    const std::string spent = duration_text(std::chrono::floor<std::chrono::milliseconds>(
        std::chrono::floor<std::chrono::duration<std::int64_t, std::deci>>(progress.elapsed)));
    const std::optional<double> share = done_share(plan, progress);
    if (!share) return spent;
    const std::string of =
        plan.requests ? count_text(*plan.requests) + " requests" : duration_text(plan.duration);
    const std::size_t width = std::min(bar_width_max, columns - 30);
    return fmt::format(
        "{} {:3.0f}%  {} of {}", bar(*share, width), *share * 100,
        plan.requests ? count_text(sum_of(progress.timeline.slices()).completed) : spent, of);
}

double rate_of(std::span<const Slice> slices, Duration width) {
    if (slices.empty()) return 0;
    std::uint64_t completed = 0;
    for (const Slice& slice : slices)
        completed += slice.completed;
    return static_cast<double>(completed) / (seconds(width) * static_cast<double>(slices.size()));
}

/// The rate that the plan asks for at this moment; nothing in a closed loop.
std::optional<double> wanted_rate(const Plan& plan, Duration elapsed) {
    for (const Arrivals::Step& step : plan.rate) {
        if (step.length == no_limit || elapsed < step.length) return step.rate;
        elapsed -= step.length;
    }
    return plan.rate.empty() ? std::nullopt : std::optional(plan.rate.back().rate);
}

std::string rate_line(const Plan& plan, const Progress& progress) {
    std::string text =
        rate_text(rate_of(last_second(progress.timeline), progress.timeline.width()));
    if (const auto wanted = wanted_rate(plan, progress.elapsed))
        text += " of " + rate_text(*wanted) + " wanted";
    return text;
}

std::string latency_line(const Histogram& latency) {
    return fmt::format("p50 {}  p90 {}  p99 {}  max {}", duration_text(latency.at(0.5)),
                       duration_text(latency.at(0.9)), duration_text(latency.at(0.99)),
                       duration_text(latency.max()));
}

std::string class_line(const Slice& sum) {
    std::string text;
    for (std::size_t i = 1; i < sum.by_class.size(); ++i) {
        if (sum.by_class[i] > 0) text += fmt::format("{}xx {}  ", i, count_text(sum.by_class[i]));
    }
    return text + "failed " + count_text(sum.failed);
}

/// Empty if no response had Cache-Status.
std::string cache_line(const Slice& sum) {
    const std::uint64_t silent = sum.by_cache[static_cast<std::size_t>(CacheResult::none)];
    std::uint64_t all = 0;
    for (const std::uint64_t count : sum.by_cache)
        all += count;
    if (all == silent) return {};
    std::string text;
    for (std::size_t i = 0; i < cache_results; ++i) {
        const auto result = static_cast<CacheResult>(i);
        if (result == CacheResult::none || sum.by_cache[i] == 0) continue;
        text += fmt::format("{} {} ({})  ", name_of(result), count_text(sum.by_cache[i]),
                            share_text(sum.by_cache[i], all - silent));
    }
    return text;
}

void add_groups(std::vector<std::string>& lines, const Progress& progress, std::size_t columns) {
    const Slice recent = sum_of(last_second(progress.timeline));
    for (std::size_t i = 0; i < std::min(groups_shown, progress.groups.size()); ++i) {
        const std::uint64_t count = i < recent.by_group.size() ? recent.by_group[i] : 0;
        if (i == 0 && count == 0) continue;
        const double share = recent.completed == 0 ? 0
                                                   : static_cast<double>(count) /
                                                         static_cast<double>(recent.completed);
        lines.push_back(fmt::format("  {:<16.16} {} {}", printable(progress.groups[i]),
                                    bar(share, std::min<std::size_t>(30, columns - 32)),
                                    share_text(count, recent.completed)));
    }
}

}  // namespace

std::optional<double> done_share(const Plan& plan, const Progress& progress) {
    if (!plan.replay.empty()) return std::nullopt;
    const double share = plan.requests
                             ? static_cast<double>(sum_of(progress.timeline.slices()).completed) /
                                   static_cast<double>(*plan.requests)
                             : seconds(progress.elapsed) / seconds(plan.duration);
    return std::clamp(share, 0.0, 1.0);
}

std::vector<std::string> live_lines(const Plan& plan, const Progress& progress,
                                    const std::string& note, std::size_t columns) {
    columns = std::max<std::size_t>(40, columns);
    const Slice sum = sum_of(progress.timeline.slices());
    const Slice recent = sum_of(last_second(progress.timeline));
    std::vector<std::string> lines{
        shorten(printable(plan.url), columns),   progress_text(plan, progress, columns),
        "rate     " + rate_line(plan, progress), "latency  " + latency_line(recent.latency),
        "answers  " + class_line(sum),
    };
    if (const std::string cache = cache_line(sum); !cache.empty())
        lines.push_back("cache    " + cache);
    if (!plan.by.empty()) add_groups(lines, progress, columns);
    std::vector<double> rates, tails;
    for (const Slice& slice : progress.timeline.slices()) {
        rates.push_back(static_cast<double>(slice.completed));
        tails.push_back(static_cast<double>(slice.latency.at(0.99).count()));
    }
    const std::size_t width = std::min(bar_width_max, columns - 10);
    lines.push_back("rate     " + sparkline(rates, width));
    lines.push_back("p99      " + sparkline(tails, width));
    if (!note.empty()) lines.push_back(shorten(printable(note), columns));
    for (std::string& line : lines)
        line = cut(line, columns);
    return lines;
}

std::string plain_line(const Plan& plan, const Progress& progress, const std::string& note) {
    const Slice recent = sum_of(last_second(progress.timeline));
    const Slice sum = sum_of(progress.timeline.slices());
    return fmt::format("{:>6}  {}  p50 {}  p99 {}  failed {}{}{}",
                       duration_text(std::chrono::round<std::chrono::seconds>(progress.elapsed)),
                       rate_line(plan, progress), duration_text(recent.latency.at(0.5)),
                       duration_text(recent.latency.at(0.99)), count_text(sum.failed),
                       note.empty() ? "" : "  ", printable(note));
}

}  // namespace scrollgate::bench
