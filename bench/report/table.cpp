#include "bench/report/table.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"
#include "bench/report/plain_text.hpp"
#include "bench/report/summary.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::size_t page_width = 100;
constexpr std::size_t name_width_max = 24;

enum class Paint : std::uint8_t { none, strong, faint, warning };

/// Text line by line, with colours or without.
class Lines {
  public:
    explicit Lines(bool colours) : colours_(colours) {}

    void add(std::string_view line, Paint paint = Paint::none) {
        while (line.ends_with(' '))
            line.remove_suffix(1);
        constexpr std::string_view codes[] = {"", "\x1b[1m", "\x1b[2m", "\x1b[1;31m"};
        const bool painted = colours_ && paint != Paint::none && !line.empty();
        if (painted) text_ += codes[static_cast<std::size_t>(paint)];
        text_ += line;
        if (painted) text_ += "\x1b[0m";
        text_ += '\n';
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    bool colours_;
    std::string text_;
};

std::string left(std::string_view text, std::size_t width) {
    const std::size_t columns = columns_of(text);
    return std::string(text).append(width > columns ? width - columns : 0, ' ');
}

std::string right(std::string_view text, std::size_t width) {
    const std::size_t columns = columns_of(text);
    return std::string(width > columns ? width - columns : 0, ' ').append(text);
}

/// Names on the left, figures on the right of their columns, two blanks between.
class Grid {
  public:
    void add(std::string name, std::vector<std::string> cells) {
        name = shorten(name, name_width_max);
        name_width_ = std::max(name_width_, columns_of(name));
        widths_.resize(std::max(widths_.size(), cells.size()));
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths_[i] = std::max(widths_[i], columns_of(cells[i]));
        rows_.push_back({std::move(name), std::move(cells)});
    }
    [[nodiscard]] std::string line(std::size_t row) const {
        std::string out = left(rows_[row].name, name_width_);
        for (std::size_t i = 0; i < rows_[row].cells.size(); ++i)
            out += "  " + right(rows_[row].cells[i], widths_[i]);
        return out;
    }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

  private:
    struct Row {
        std::string name;
        std::vector<std::string> cells;
    };
    std::size_t name_width_ = 0;
    std::vector<std::size_t> widths_;
    std::vector<Row> rows_;
};

void write_facts(Lines& lines, const std::vector<Fact>& facts) {
    std::size_t width = 0;
    for (const Fact& fact : facts)
        width = std::max(width, columns_of(fact.name));
    for (const Fact& fact : facts) {
        const std::string name = "  " + left(fact.name, width) + "  ";
        lines.add(name + shorten(fact.value, page_width - columns_of(name)));
    }
}

void write_latency(Lines& lines, const Summary& summary) {
    Grid grid;
    grid.add("latency", latency_columns());
    for (const LatencyRow& row : summary.latency)
        grid.add("  " + row.name, latency_cells(*row.histogram));
    lines.add("");
    lines.add(grid.line(0), Paint::strong);
    for (std::size_t i = 0; i < summary.latency.size(); ++i) {
        const auto about = summary.latency[i].about;
        if (i > 0 && about != summary.latency[i - 1].about) lines.add("");
        lines.add(grid.line(i + 1));
        const bool last = i + 1 == summary.latency.size() || summary.latency[i + 1].about != about;
        if (about == LatencyRow::About::all && last)
            lines.add("  " + summary.about_latency, Paint::faint);
    }
}

void write_steps(Lines& lines, const Summary& summary) {
    if (summary.steps.empty()) return;
    Grid grid;
    grid.add("wanted", step_columns());
    for (const StepRow& row : summary.steps)
        grid.add("  " + row.name, row.cells);
    lines.add("");
    for (std::size_t i = 0; i < grid.size(); ++i)
        lines.add(grid.line(i), i == 0 ? Paint::strong : Paint::none);
}

void write_failures(Lines& lines, const Summary& summary) {
    if (summary.failures.empty()) return;
    lines.add("");
    lines.add("failed  " + summary.failed, Paint::warning);
    Grid grid;
    for (const FailureRow& row : summary.failures)
        grid.add("  " + row.name, {count_text(row.count)});
    for (std::size_t i = 0; i < grid.size(); ++i)
        lines.add(grid.line(i));
}

void write_drill(Lines& lines, const Summary& summary) {
    if (summary.drill.empty()) return;
    lines.add("");
    lines.add("drill", Paint::strong);
    write_facts(lines, summary.drill);
    if (summary.drill_methods.empty()) return;
    Grid grid;
    grid.add("  from then on", drill_columns());
    for (const DrillRow& row : summary.drill_methods)
        grid.add("  " + row.name, row.cells);
    for (std::size_t i = 0; i < grid.size(); ++i)
        lines.add(grid.line(i), i == 0 ? Paint::faint : Paint::none);
}

void write_shares(Lines& lines, const Summary& summary) {
    if (summary.shares.empty()) return;
    const bool drilled = !summary.drill.empty();
    Grid grid;
    std::vector<std::string> header = {"responses", "share"};
    if (drilled) header.insert(header.end(), {"before", "during", "after"});
    grid.add("by " + summary.grouped_by, std::move(header));
    for (const ShareRow& row : summary.shares) {
        std::vector<std::string> cells = {count_text(row.count), share_cell(row.share)};
        if (drilled)
            cells.insert(cells.end(),
                         {share_cell(row.before), share_cell(row.during), share_cell(row.after)});
        grid.add("  " + row.name, std::move(cells));
    }
    lines.add("");
    for (std::size_t i = 0; i < grid.size(); ++i)
        lines.add(grid.line(i), i == 0 ? Paint::strong : Paint::none);
}

}  // namespace

std::string table_text(const Report& report, bool colours) {
    const Summary summary = summarise(report);
    Lines lines(colours);
    lines.add(shorten(summary.tool + "  " + summary.url, page_width), Paint::strong);
    write_facts(lines, summary.run);
    write_latency(lines, summary);
    write_steps(lines, summary);
    write_failures(lines, summary);
    write_drill(lines, summary);
    write_shares(lines, summary);
    if (!summary.marks.empty()) lines.add("");
    for (const std::string& mark : summary.marks)
        lines.add("!! " + mark, Paint::warning);
    return lines.take();
}

}  // namespace scrollgate::bench
