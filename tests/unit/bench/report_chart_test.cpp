// What a chart draws.
#include <doctest/doctest.h>

#include "bench/report/chart.hpp"

using namespace scrollgate::bench;

namespace {

/// From 0 to 10 on both axes; the plot spans 64 to 988 and 252 to 14 of the view box.
Chart chart() {
    Axis axis;
    axis.to = 10;
    axis.ticks = {{0, "none"}, {10, "all"}};
    return {axis, axis, "time", "a <label>"};
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a line breaks at gaps, and a point between gaps is a dot") {
    Chart plot = chart();
    plot.line({Point{0, 0}, Point{5, 10}, std::nullopt, Point{10, 5}, std::nullopt}, "p99");
    CHECK(contains(plot.svg(),
                   "<path class=\"line p99\" d=\"M64.0 252.0L526.0 14.0M988.0 133.0h0\"/>"));
}

TEST_CASE("bars stand where they are told, and flat ones are left out") {
    Chart plot = chart();
    plot.bars({{0, 5, 0, 10}, {5, 10, 3, 3}}, "s2");
    CHECK(contains(plot.svg(), "<path class=\"bars s2\" d=\"M64.0 252.0H526.0V14.0H64.0z\"/>"));
    Chart empty = chart();
    empty.bars({{0, 5, 1, 1}}, "s5");
    CHECK_FALSE(contains(empty.svg(), "s5"));
}

TEST_CASE("values beyond an axis end at its edge") {
    Chart plot = chart();
    plot.line({Point{-5, 50}, Point{50, -5}}, "max");
    CHECK(contains(plot.svg(), "d=\"M64.0 14.0L988.0 252.0\""));
}

TEST_CASE("ticks, bands and tips carry their text, escaped") {
    Chart plot = chart();
    plot.band(2, 4, "kill <1>");
    plot.tip(0, 5, "first\n\"second\"");
    const std::string svg = plot.svg();
    CHECK(contains(svg, ">none</text>"));
    CHECK(contains(svg, "aria-label=\"a &lt;label&gt;\""));
    CHECK(contains(svg, "kill &lt;1&gt;</text>"));
    CHECK(contains(svg, "data-tip=\"first\n&quot;second&quot;\""));
    CHECK(contains(svg, "data-kind=\"time\""));
}

TEST_CASE("a band that begins far right has its text on the left") {
    Chart early = chart(), late = chart();
    early.band(2, 4, "x");
    late.band(9, 10, "x");
    CHECK(contains(early.svg(), "text-anchor=\"start\">x<"));
    CHECK(contains(late.svg(), "text-anchor=\"end\">x<"));
}
