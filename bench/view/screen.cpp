#include "bench/view/screen.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/report/plain_text.hpp"

namespace scrollgate::bench {
namespace {

struct Size {
    std::size_t columns = 80, rows = 24;
};

/// Asked anew for each picture: windows change.
Size size_of(std::FILE* terminal) {
    winsize size{};
    if (::ioctl(::fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
    return {size.ws_col, size.ws_row == 0 ? 24U : size.ws_row};
}

/// A terminal that can only type forwards calls itself dumb.
bool can_move() {
    const char* name = std::getenv("TERM");
    return name != nullptr && *name != '\0' && std::string_view(name) != "dumb";
}

Screen::Kind kind_for(std::FILE* out, bool plain, bool quiet) {
    if (quiet) return Screen::Kind::silent;
    return !plain && is_terminal(out) && can_move() ? Screen::Kind::live : Screen::Kind::lines;
}

/// Whoever does not read it any more misses it: the run goes on.
void put(std::FILE* file, const std::string& text) {
    std::fputs(text.c_str(), file);
    std::fflush(file);
}

std::string painted(std::string_view text, std::string_view code, bool colours) {
    if (!colours || text.empty() || code.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string_view code_of(LiveLine::Tone tone) {
    constexpr std::string_view codes[] = {"", "1", "31"};
    return codes[static_cast<std::size_t>(tone)];
}

}  // namespace

bool is_terminal(std::FILE* file) {
    return ::isatty(::fileno(file)) != 0;
}

bool wants_colours(std::FILE* file) {
    const char* unwanted = std::getenv("NO_COLOR");
    return is_terminal(file) && can_move() && (unwanted == nullptr || *unwanted == '\0');
}

// One write per picture, each line wiped behind its end, not before: nothing flickers. Lines do not
// wrap meanwhile, whatever a character's width is.
std::string redrawn(const std::vector<std::size_t>& drawn, std::size_t columns,
                    const std::vector<LiveLine>& lines, bool colours) {
    std::size_t rows = 0;
    for (const std::size_t width : drawn)
        rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
    std::string out = rows == 0 ? "\r" : fmt::format("\r\x1b[{}A", rows);
    if (!lines.empty()) out += "\x1b[?7l";
    for (const LiveLine& line : lines) {
        out += painted(line.label, "2", colours);
        out += painted(line.text, code_of(line.tone), colours);
        out += "\x1b[K\n";
    }
    if (!lines.empty()) out += "\x1b[?7h";
    return out + "\x1b[J";
}

Screen::Screen(const Plan& plan, bool plain, bool quiet)
    : plan_(plan),
      out_(!plain && !is_terminal(stderr) && is_terminal(stdout) ? stdout : stderr),
      kind_(kind_for(out_, plain, quiet)),
      colours_(wants_colours(out_)),
      view_(plan) {}

Screen::~Screen() {
    if (drawn_.empty()) return;
    put(out_, redrawn(drawn_, size_of(out_).columns, {}, colours_));
}

void Screen::show(const Progress& progress, const std::string& note) {
    if (kind_ == Kind::silent) return;
    if (kind_ == Kind::lines) {
        put(stderr, plain_line(plan_, progress, note) + "\n");
        return;
    }
    const Size size = size_of(out_);
    std::vector<LiveLine> lines;
    // The last column and the last row stay free: the cursor is there.
    if (size.columns > LiveView::columns_min) lines = view_.draw(progress, note, size.columns - 1);
    lines.resize(std::min(lines.size(), size.rows - 1));
    put(out_, redrawn(drawn_, size.columns, lines, colours_));
    drawn_.clear();
    for (const LiveLine& line : lines)
        drawn_.push_back(columns_of(line.label) + columns_of(line.text));
}

}  // namespace scrollgate::bench
