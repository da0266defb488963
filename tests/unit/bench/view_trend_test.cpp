// Rows of blocks.
#include <doctest/doctest.h>

#include "bench/report/plain_text.hpp"
#include "bench/view/trend.hpp"

using namespace scrollgate::bench;

TEST_CASE("a bar is as long as its share, to an eighth of a column") {
    CHECK(bar(0, 4) == "····");
    CHECK(bar(1, 4) == "████");
    CHECK(bar(0.5, 4) == "██··");
    CHECK(bar(0.125, 4) == "▌···");
    CHECK(bar(0.999, 2) == "█▉");
    CHECK(bar(7, 2) == "██");
    CHECK(bar(-1, 2) == "··");
    CHECK(bar(0.5, 0).empty());
}

TEST_CASE("the highest place is full, the others in proportion") {
    Trend trend(Trend::Keep::mean);
    CHECK(trend.blocks(10).empty());
    trend.add(0);
    CHECK(trend.blocks(10) == "▁");
    trend.add(70);
    trend.add(35);
    CHECK(trend.blocks(10) == "▁█▅");
    CHECK(trend.highest() == 70);
}

TEST_CASE("columns that hold several values have their mean, or their peak") {
    Trend mean(Trend::Keep::mean), peak(Trend::Keep::peak);
    for (const double value : {0.0, 0.0, 0.0, 70.0, 35.0, 35.0}) {
        mean.add(value);
        peak.add(value);
    }
    CHECK(mean.blocks(3) == "▁██");
    CHECK(peak.blocks(3) == "▁█▅");
}

TEST_CASE("a long run is merged: it stays whole, and a peak stays seen") {
    Trend trend(Trend::Keep::peak);
    for (int i = 0; i < 100'000; ++i)
        trend.add(i == 0 || i == 50'000 ? 70 : 1);
    CHECK(trend.highest() == 70);
    const std::string text = trend.blocks(40);
    CHECK(columns_of(text) == 40);
    CHECK(text.starts_with("█▁"));
    std::size_t full = 0;
    for (std::size_t at = text.find("█"); at != text.npos; at = text.find("█", at + 1))
        ++full;
    CHECK(full == 2);
}
