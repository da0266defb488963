// LiveView: what a run looks like while it goes on, in a few lines.
//
// Words and blocks without a colour or an escape code: who draws them on a terminal is screen.hpp.
// Text of others is printable() here. One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/load/load.hpp"
#include "bench/plan/plan.hpp"
#include "bench/view/trend.hpp"

namespace scrollgate::bench {

struct LiveLine {
    enum class Tone : std::uint8_t { plain, title, alarm };
    std::string label, text;  ///< the label is padded; empty: the text has the whole line
    Tone tone = Tone::plain;
};

class LiveView {
  public:
    /// Fewer columns than that are not drawn for.
    static constexpr std::size_t columns_min = 20;

    /// `plan` outlives this.
    explicit LiveView(const Plan& plan) : plan_(plan) {}

    /// The picture of this moment, most important lines first, label and text of none wider than
    /// `columns` (at least columns_min). `note`, if there is one, is what a drill does. Each call
    /// adds one point to what is shown of rate and p99 so far.
    [[nodiscard]] std::vector<LiveLine> draw(const Progress& progress, const std::string& note,
                                             std::size_t columns);

  private:
    [[nodiscard]] std::string progress_text(const Progress& progress, std::size_t columns) const;
    void add_shares(std::vector<LiveLine>& lines, const Progress& progress,
                    std::size_t columns) const;

    const Plan& plan_;
    Trend rate_{Trend::Keep::mean}, tail_{Trend::Keep::peak};
};

/// The same moment in one line, for files and pipes.
[[nodiscard]] std::string plain_line(const Plan& plan, const Progress& progress,
                                     const std::string& note);

/// How much of the plan is done, 0 to 1.
[[nodiscard]] double done_share(const Plan& plan, const Progress& progress);

}  // namespace scrollgate::bench
