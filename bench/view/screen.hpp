// Screen: draws a run while it goes on: in place on a terminal, line by line elsewhere.
//
// Everything goes to standard error, so that standard output holds the result alone. One thread.
#pragma once

#include <cstddef>
#include <string>

#include "bench/view/live_view.hpp"

namespace scrollgate::bench {

class Screen {
  public:
    enum class Kind : std::uint8_t { live, lines, silent };

    /// Live on a terminal unless the user wants it plain.
    [[nodiscard]] static Kind kind_for(bool plain, bool quiet);

    /// `plan` outlives the screen.
    Screen(const Plan& plan, Kind kind) : plan_(plan), kind_(kind) {}
    /// Takes the picture away again.
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// How often show() is to be called per second.
    [[nodiscard]] int per_second() const noexcept { return kind_ == Kind::live ? 5 : 1; }
    void show(const Progress& progress, const std::string& note);

  private:
    void draw(const std::vector<std::string>& lines);

    const Plan& plan_;
    const Kind kind_;
    std::size_t drawn_ = 0;  ///< lines of the last picture, the cursor being below them
};

}  // namespace scrollgate::bench
