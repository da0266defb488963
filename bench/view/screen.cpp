#include "bench/view/screen.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace scrollgate::bench {
namespace {

struct Size {
    std::size_t columns = 80, rows = 24;
};

/// Asked anew for each picture: windows change.
Size terminal_size() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
    return {size.ws_col, std::max<std::size_t>(2, size.ws_row)};
}

constexpr const char* hide_cursor = "\x1b[?25l";
constexpr const char* show_cursor = "\x1b[?25h";

/// To the first of `lines` drawn before; everything from there on is wiped.
std::string back(std::size_t lines) {
    return lines == 0 ? std::string() : fmt::format("\x1b[{}A\x1b[J", lines);
}

}  // namespace

Screen::Kind Screen::kind_for(bool plain, bool quiet) {
    if (quiet) return Kind::silent;
    return !plain && ::isatty(STDERR_FILENO) != 0 ? Kind::live : Kind::lines;
}

Screen::~Screen() {
    if (drawn_ == 0) return;
    fmt::print(stderr, "{}{}", back(drawn_), show_cursor);
}

void Screen::show(const Progress& progress, const std::string& note) {
    if (kind_ == Kind::silent) return;
    if (kind_ == Kind::lines) {
        fmt::print(stderr, "{}\n", plain_line(plan_, progress, note));
        return;
    }
    const Size size = terminal_size();
    // The last column stays free: some terminals wrap when it is written.
    std::vector<std::string> lines = live_lines(plan_, progress, note, size.columns - 1);
    lines.resize(std::min(lines.size(), size.rows - 1));
    draw(lines);
}

void Screen::draw(const std::vector<std::string>& lines) {
    std::string picture = hide_cursor + back(drawn_);
    for (const std::string& line : lines)
        picture += line + "\n";
    drawn_ = lines.size();
    fmt::print(stderr, "{}", picture);
    std::fflush(stderr);
}

}  // namespace scrollgate::bench
