#include "bench/report/chart.hpp"

#include <iterator>

#include <fmt/format.h>

#include "bench/report/markup.hpp"

namespace scrollgate::bench {
namespace {

// In the units of the view box; the page scales it.
constexpr double width = 1000, height = 280;
constexpr double left = 64, right = width - 12, top = 14, bottom = height - 28;

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

}  // namespace

Chart::Chart(Axis x, Axis y, std::string_view kind, std::string_view label)
    : x_(std::move(x)), y_(std::move(y)), kind_(kind), label_(escaped(label)) {}

double Chart::x_of(double value) const {
    return left + (right - left) * x_.place(value);
}

double Chart::y_of(double value) const {
    return bottom - (bottom - top) * y_.place(value);
}

void Chart::line(const std::vector<std::optional<Point>>& points, std::string_view colour) {
    std::string path;
    bool open = false;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (!points[i]) {
            open = false;
            continue;
        }
        append(path, "{}{:.1f} {:.1f}", open ? 'L' : 'M', x_of(points[i]->x), y_of(points[i]->y));
        // A line of no length, whose round ends make a dot.
        const bool alone = !open && (i + 1 == points.size() || !points[i + 1]);
        if (alone) path += "h0";
        open = true;
    }
    append(lines_, "<path class=\"line {}\" d=\"{}\"/>\n", colour, path);
}

void Chart::bars(const std::vector<Bar>& bars, std::string_view colour) {
    std::string path;
    for (const Bar& bar : bars) {
        if (bar.above <= bar.below) continue;
        append(path, "M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}z", x_of(bar.from), y_of(bar.below),
               x_of(bar.to), y_of(bar.above), x_of(bar.from));
    }
    if (!path.empty()) append(bars_, "<path class=\"bars {}\" d=\"{}\"/>\n", colour, path);
}

void Chart::band(double from, double to, std::string_view text) {
    const double begin = x_of(from), end = x_of(to);
    append(bands_, "<rect class=\"band\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>\n",
           begin, top, end - begin, bottom - top);
    append(notes_, "<path class=\"moment\" d=\"M{0:.1f} {1}V{2}M{3:.1f} {1}V{2}\"/>\n", begin, top,
           bottom, end);
    const bool room = begin < left + 0.7 * (right - left);
    append(notes_, "<text class=\"note\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n",
           room ? begin + 6 : begin - 6, top + 14, room ? "start" : "end", escaped(text));
}

void Chart::tip(double from, double to, std::string_view text) {
    const double begin = x_of(from), end = x_of(to);
    append(tips_,
           "<rect class=\"hit\" x=\"{:.1f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" "
           "data-tip=\"{}\"/>\n",
           begin, top, end - begin, bottom - top, escaped(text));
}

std::string Chart::svg() const {
    std::string out;
    append(out,
           "<svg class=\"chart\" data-kind=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" "
           "aria-label=\"{}\" tabindex=\"0\">\n",
           kind_, width, height, label_);
    for (const Tick& tick : y_.ticks) {
        const double y = y_of(tick.at);
        append(out, "<path class=\"grid\" d=\"M{} {:.1f}H{}\"/>", left, y, right);
        append(out, "<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
               left - 8, y + 4, tick.label);
    }
    for (const Tick& tick : x_.ticks) {
        const double x = x_of(tick.at);
        append(out, "<path class=\"grid\" d=\"M{:.1f} {}V{}\"/>", x, top, bottom);
        append(out, "<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", x,
               bottom + 18, x > right - 20 ? "end" : "middle", tick.label);
    }
    out += bars_ + bands_ + lines_ + notes_;
    append(out, "<path class=\"frame\" d=\"M{0} {1}V{2}H{3}\"/>\n", left, top, bottom, right);
    append(out, "<path class=\"cross\" d=\"M0 {}V{}\"/>\n", top, bottom);
    return out + tips_ + "</svg>\n";
}

}  // namespace scrollgate::bench
