#include "bench/report/axis.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace scrollgate::bench {
namespace {

/// The least of 1, 2, 5 x 10^n that `value` does not exceed; value > 0.
double round_up(double value) {
    const double magnitude = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (value <= factor * magnitude * (1 + 1e-9)) return factor * magnitude;
    return 10 * magnitude;
}

/// "10us", "2ms", "1s", "100s": nanoseconds that round_up() could give.
std::string span_label(double nanoseconds) {
    struct Unit {
        double size;
        const char* name;
    };
    for (const Unit unit : {Unit{1e9, "s"}, Unit{1e6, "ms"}, Unit{1e3, "us"}})
        if (nanoseconds >= unit.size * 0.999)
            return fmt::format("{:g}{}", nanoseconds / unit.size, unit.name);
    return fmt::format("{:g}ns", nanoseconds);
}

/// One unit for a whole axis of `length` seconds: "500ms" beside "1s" is hard to compare.
std::string clock_label(double seconds, double step, double length) {
    if (step < 0.001) return span_label(seconds * 1e9);
    if (length < 1) return fmt::format("{:g}ms", std::round(seconds * 1e6) / 1e3);
    if (step < 60) return fmt::format("{:g}s", seconds);
    const auto minutes = static_cast<long>(std::lround(seconds / 60));
    if (step < 3600) return fmt::format("{}m", minutes);
    return fmt::format("{}h", minutes / 60);
}

std::string short_count(double value) {
    if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
    if (value >= 1e3) return fmt::format("{:g}k", value / 1e3);
    return fmt::format("{:g}", value);
}

}  // namespace

double Axis::place(double value) const noexcept {
    if (!log) return std::clamp((value - from) / (to - from), 0.0, 1.0);
    if (value <= from) return 0;
    return std::min(1.0, std::log(value / from) / std::log(to / from));
}

Axis time_axis(Duration length) {
    Axis axis;
    axis.to = std::max(seconds_of(length), 1e-3);
    double step = round_up(axis.to / 10);
    for (const double natural : {15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0})
        if (axis.to > 100 && axis.to / 10 <= natural) {
            step = natural;
            break;
        }
    if (axis.to > 72'000) step = 3600 * round_up(axis.to / 36'000);
    // A run that ended a moment before a tick, as they do, gets it still.
    const int count = static_cast<int>(axis.to / step + 0.02);
    axis.to = std::max(axis.to, count * step);
    for (int i = 0; i <= count; ++i)
        axis.ticks.push_back({i * step, i == 0 ? "0" : clock_label(i * step, step, axis.to)});
    return axis;
}

Axis latency_axis(Duration least, Duration most) {
    Axis axis;
    axis.log = true;
    // From and to the next of 1, 2, 5 x 10^n, with a little air for lines at the edge.
    const double low = std::max(static_cast<double>(least.count()), 100.0) / 1.1;
    const double high = std::max(static_cast<double>(most.count()) * 1.1, low * 1.5);
    axis.from = 1 / round_up(1 / low);
    axis.to = round_up(high);
    const double decades = std::log10(axis.to / axis.from);
    for (double magnitude = std::pow(10, std::floor(std::log10(axis.from) + 1e-9));
         magnitude <= axis.to * 1.001; magnitude *= 10) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double at = factor * magnitude;
            if (at < axis.from * 0.999 || at > axis.to * 1.001) continue;
            if (factor == 1.0 || decades <= 2.5) axis.ticks.push_back({at, span_label(at)});
        }
    }
    return axis;
}

Axis rate_axis(double most) {
    Axis axis;
    axis.to = std::isfinite(most) && most > 0 ? most * 1.05 : 1;
    const double step = round_up(axis.to / 6);
    for (double at = 0; at <= axis.to; at += step)
        axis.ticks.push_back({at, short_count(at)});
    return axis;
}

Axis share_axis() {
    Axis axis;
    for (const int percent : {0, 25, 50, 75, 100})
        axis.ticks.push_back({percent / 100.0, fmt::format("{}%", percent)});
    return axis;
}

Axis percentile_axis(std::uint64_t count) {
    Axis axis;
    axis.to =
        std::clamp(std::log10(static_cast<double>(std::max<std::uint64_t>(count, 1))), 1.0, 6.0);
    axis.ticks = {{0, "0%"}, {-std::log10(0.5), "50%"}, {1, "90%"}};
    std::string label = "99%";
    for (int nines = 2; nines <= 6; ++nines) {
        if (nines <= axis.to + 1e-9) axis.ticks.push_back({static_cast<double>(nines), label});
        label.insert(label.size() - 1, nines == 2 ? ".9" : "9");
    }
    return axis;
}

}  // namespace scrollgate::bench
