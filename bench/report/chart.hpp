// Chart: one plot as SVG, drawn here and complete without a script. Colours are classes of the
// page's style sheet ("p99", "s5", …), which thus follow light and dark.
//
// Every column of the plot that was given a text carries it in data-tip; the page's script shows it
// under the pointer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/report/axis.hpp"

namespace scrollgate::bench {

struct Point {
    double x = 0, y = 0;
};

/// A stretch of a stacked area: [from, to] on the x axis, [below, above] on the other.
struct Bar {
    double from = 0, to = 0, below = 0, above = 0;
};

class Chart {
  public:
    /// `label`: what a reader hears who does not see it. `kind` groups charts whose pointers go
    /// together: equal kinds have equal x axes.
    Chart(Axis x, Axis y, std::string_view kind, std::string_view label);

    /// A line through `points`; none is a gap. A point between gaps is a dot.
    void line(const std::vector<std::optional<Point>>& points, std::string_view colour);
    /// Bars of one colour.
    void bars(const std::vector<Bar>& bars, std::string_view colour);
    /// A marked stretch of the x axis, with a text beside its start.
    void band(double from, double to, std::string_view text);
    /// What is said of the stretch [from, to] of the x axis: lines of plain text.
    void tip(double from, double to, std::string_view text);

    /// The whole <svg> element.
    [[nodiscard]] std::string svg() const;

  private:
    [[nodiscard]] double x_of(double value) const;
    [[nodiscard]] double y_of(double value) const;

    Axis x_, y_;
    std::string kind_, label_;
    std::string bars_, bands_, lines_, notes_, tips_;  ///< from the back to the front
};

}  // namespace scrollgate::bench
