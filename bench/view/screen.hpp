// Screen: shows a run while it goes on: in place on a terminal, line by line elsewhere.
//
// The terminal is that of standard error, so that standard output holds the result alone; else that
// of standard output. Nothing of a terminal's state is changed for longer than one write, so that
// whatever ends the process leaves a sane one. One thread.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include "bench/view/live_view.hpp"

namespace scrollgate::bench {

class Screen {
  public:
    enum class Kind : std::uint8_t { live, lines, silent };

    /// Live on a terminal that can move its cursor, unless the user wants it plain. `plan` outlives
    /// the screen.
    Screen(const Plan& plan, bool plain, bool quiet);
    /// Takes the picture away again.
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// How often show() is to be called per second.
    [[nodiscard]] int per_second() const noexcept { return kind_ == Kind::live ? 5 : 1; }
    /// `note`, if there is one, is what a drill does.
    void show(const Progress& progress, const std::string& note);

  private:
    const Plan& plan_;
    std::FILE* const out_;
    const Kind kind_;
    const bool colours_;
    LiveView view_;
    std::vector<std::size_t> drawn_;  ///< widths of the last picture's lines, above the cursor
};

[[nodiscard]] bool is_terminal(std::FILE* file);
/// Whether what is written to `file` may have colours: a terminal, and NO_COLOR is not set.
[[nodiscard]] bool wants_colours(std::FILE* file);

/// What replaces a picture whose lines were `drawn` wide by `lines`, on a terminal of `columns`
/// that may have been narrowed since, so that lines take several rows now.
[[nodiscard]] std::string redrawn(const std::vector<std::size_t>& drawn, std::size_t columns,
                                  const std::vector<LiveLine>& lines, bool colours);

}  // namespace scrollgate::bench
