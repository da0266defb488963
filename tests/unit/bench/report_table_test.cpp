// The table for people.
#include <sstream>

#include <doctest/doctest.h>

#include "bench/report/plain_text.hpp"
#include "bench/report/table.hpp"
#include "tests/unit/bench/report_by_hand.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

/// The line that begins with `start`.
std::string line_of(const std::string& text, std::string_view start) {
    for (const std::string& line : lines_of(text))
        if (line.starts_with(start)) return line;
    return "no line " + std::string(start);
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("columns of the table are aligned on the right") {
    const std::string text = table_text(testing::open_loop(), false);
    const std::string header = line_of(text, "latency");
    const std::size_t width = columns_of(header);
    for (const char* row :
         {"  all (corrected)", "  uncorrected", "  GET", "  POST", "  status 503", "  cache hit"}) {
        CAPTURE(row);
        CHECK(columns_of(line_of(text, row)) == width);
    }
    CHECK(contains(header, "p99.99"));
    CHECK(contains(line_of(text, "  status 503"), " 20 "));
    CHECK(contains(text, "corrected: from when a request was due"));
    CHECK(contains(line_of(text, "failed"), "21 of 1,000"));
}

TEST_CASE("a ramp has a row per step") {
    const std::string text = table_text(testing::ramp(), false);
    CHECK(line_of(text, "wanted").ends_with("failed"));
    CHECK(contains(line_of(text, "  300/s"), "225/s"));
    CHECK(line_of(text, "  300/s").ends_with("25"));
}

TEST_CASE("a drill has its facts and its shares") {
    const std::string text = table_text(testing::drill(), false);
    CHECK(contains(line_of(text, "  broke"), "kill 4711 at 1.00s"));
    CHECK(contains(line_of(text, "by x-pool"), "before  during  after"));
    CHECK(contains(line_of(text, "  aws"), "50.0%    0.0%  50.0%"));
}

TEST_CASE("what is not to be taken as it is stands at the end") {
    Report report = testing::open_loop();
    report.total.unsent = 5;
    const std::vector<std::string> lines = lines_of(table_text(report, false));
    CHECK(lines[lines.size() - 2].starts_with("!! THE GENERATOR FELL BEHIND"));
    CHECK(lines.back().starts_with("!! "));
}

TEST_CASE("no line is wider than a page, and none ends in blanks") {
    Report report = testing::drill();
    report.url = "http://host/" + std::string(300, 'x');
    report.groups[1] = std::string(300, 'g');
    report.drill->what = std::string(300, 'd');
    for (const std::string& line : lines_of(table_text(report, false))) {
        CAPTURE(line);
        CHECK(columns_of(line) <= 100);
        CHECK_FALSE(line.ends_with(' '));
    }
}

TEST_CASE("escape codes are there only when colours are wanted, and never from outside") {
    Report report = testing::drill();
    report.url = "http://host/\x1b[2J";
    report.groups[1] = "\x1b]0;title\x07";
    report.drill->what = "kill \x1b[31m";
    CHECK_FALSE(contains(table_text(report, false), "\x1b"));
    const std::string coloured = table_text(report, true);
    CHECK(contains(coloured, "\x1b[1m"));
    CHECK_FALSE(contains(coloured, "\x1b[2J"));
    CHECK_FALSE(contains(coloured, "\x1b]"));
    CHECK_FALSE(contains(coloured, "\x1b[31m"));
}
