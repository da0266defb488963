// How a picture replaces the one before, seen by a small terminal.
#include <doctest/doctest.h>

#include "bench/view/screen.hpp"

using namespace scrollgate::bench;

namespace {

/// As much of a terminal as a Screen uses. Rows grow downwards without end; ASCII only. When it is
/// narrowed, long rows wrap, as most terminals do it.
class Terminal {
  public:
    explicit Terminal(std::size_t columns) : columns_(columns) {}

    void write(std::string_view text) {
        while (!text.empty()) {
            const std::size_t taken = text.front() == '\x1b' ? obey(text) : put(text.front());
            text.remove_prefix(taken);
        }
    }
    void narrow(std::size_t columns) {
        std::vector<std::string> rows;
        for (std::string_view row : rows_) {
            do {
                rows.emplace_back(row.substr(0, columns));
                row.remove_prefix(std::min(columns, row.size()));
            } while (!row.empty());
        }
        row_ = rows.size() - (rows_.size() - row_);  // the cursor is in the last, which is empty
        rows_ = std::move(rows);
        columns_ = columns;
    }
    /// Without empty rows at the end.
    [[nodiscard]] std::vector<std::string> rows() const {
        std::vector<std::string> rows = rows_;
        while (!rows.empty() && rows.back().empty())
            rows.pop_back();
        return rows;
    }
    bool wraps = true;
    std::string unknown;  ///< codes it does not know

  private:
    std::size_t put(char c) {
        if (c == '\r') {
            column_ = 0;
        } else if (c == '\n') {
            column_ = 0;
            if (++row_ == rows_.size()) rows_.emplace_back();
        } else {
            std::string& row = rows_[row_];
            row.resize(std::max(row.size(), column_ + 1), ' ');
            row[column_] = c;
            ++column_;
        }
        return 1;
    }
    std::size_t obey(std::string_view text) {
        const std::size_t end = text.find_first_not_of("[?0123456789;", 1);
        const std::string code(text.substr(2, end - 1));
        if (code.back() == 'A') {
            row_ -= static_cast<std::size_t>(std::stoi(code));
        } else if (code == "K") {
            rows_[row_].resize(std::min(rows_[row_].size(), column_));
        } else if (code == "J") {
            rows_.resize(row_ + 1);
            rows_[row_].resize(std::min(rows_[row_].size(), column_));
        } else if (code == "?7l" || code == "?7h") {
            wraps = code == "?7h";
        } else if (code.back() != 'm') {
            unknown += code + " ";
        }
        return end + 1;
    }

    std::size_t columns_, row_ = 0, column_ = 0;
    std::vector<std::string> rows_{""};
};

std::vector<LiveLine> picture(const std::vector<std::string>& texts) {
    std::vector<LiveLine> lines;
    for (const std::string& text : texts)
        lines.push_back({"label ", text, LiveLine::Tone::plain});
    return lines;
}

std::vector<std::size_t> widths(const std::vector<LiveLine>& lines) {
    std::vector<std::size_t> widths;
    for (const LiveLine& line : lines)
        widths.push_back(line.label.size() + line.text.size());
    return widths;
}

}  // namespace

TEST_CASE("a picture replaces the one before, and nothing above it") {
    Terminal terminal(80);
    terminal.write("$ scrollgate-bench\n");
    const auto first = picture({"a long line", "second", "third"});
    terminal.write(redrawn({}, 80, first, false));
    CHECK(terminal.rows() == std::vector<std::string>{"$ scrollgate-bench", "label a long line",
                                                      "label second", "label third"});
    const auto next = picture({"short", "x"});
    terminal.write(redrawn(widths(first), 80, next, true));
    CHECK(terminal.rows() ==
          std::vector<std::string>{"$ scrollgate-bench", "label short", "label x"});
    CHECK(terminal.wraps);
    CHECK(terminal.unknown.empty());
}

TEST_CASE("in the end nothing is left of it, not even what was typed meanwhile") {
    Terminal terminal(80);
    terminal.write("$ scrollgate-bench\n");
    const auto lines = picture({"one", "two"});
    terminal.write(redrawn({}, 80, lines, true));
    terminal.write("^C");
    terminal.write(redrawn(widths(lines), 80, {}, true));
    CHECK(terminal.rows() == std::vector<std::string>{"$ scrollgate-bench"});
}

TEST_CASE("a window that was narrowed shows no remains") {
    Terminal terminal(80);
    terminal.write("$ bench\n");
    const auto wide = picture({std::string(60, 'w'), "short", std::string(34, 'x')});
    terminal.write(redrawn({}, 80, wide, false));
    terminal.narrow(20);
    const auto slim = picture({"slim"});
    terminal.write(redrawn(widths(wide), 20, slim, false));
    CHECK(terminal.rows() == std::vector<std::string>{"$ bench", "label slim"});
}

TEST_CASE("without colours there are none") {
    std::vector<LiveLine> lines = picture({"one"});
    lines.push_back({"", "title", LiveLine::Tone::title});
    lines.push_back({"failed", "1", LiveLine::Tone::alarm});
    CHECK(redrawn({}, 80, lines, false).find("m") == std::string::npos);
    const std::string coloured = redrawn({}, 80, lines, true);
    CHECK(coloured.find("\x1b[1mtitle\x1b[0m") != std::string::npos);
    CHECK(coloured.find("\x1b[31m1\x1b[0m") != std::string::npos);
}
