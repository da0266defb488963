// Load: a whole run, from the first connection to the Report.
#pragma once

#include <atomic>
#include <functional>

#include "bench/load/dial.hpp"
#include "bench/load/load_worker.hpp"
#include "bench/report/report.hpp"

namespace scrollgate::bench {

/// What a run shows while it goes on.
struct Progress {
    Duration elapsed{};
    Slice total;     ///< everything so far
    Stretch recent;  ///< about the last second
    std::vector<std::string> groups;
};

class Load {
  public:
    /// Resolves nothing, connects to nothing yet. `plan` outlives this.
    Load(const Plan& plan, Dial dial);
    ~Load();

    /// Runs the plan; blocks until all requests are through. `watch`, if given, is called about
    /// `per_second` times a second on this thread.
    [[nodiscard]] Report run(const std::function<void(const Progress&)>& watch, int per_second);
    /// Breaks the run off; run() returns what was measured so far. Any thread, and signal handlers'
    /// threads; not a signal handler itself.
    void stop();
    /// When the run started; after run() was called. Any thread.
    [[nodiscard]] TimePoint started() const noexcept { return start_.load(); }

  private:
    [[nodiscard]] Report report();
    [[nodiscard]] Duration elapsed() const;

    const Plan& plan_;
    const Dial dial_;
    SharedTimeline timeline_;
    Groups groups_;
    std::vector<std::unique_ptr<LoadWorker>> workers_;
    std::atomic<TimePoint> start_{};
    std::atomic<TimePoint> stopped_{};  ///< when stop() came; zero: it has not
};

}  // namespace scrollgate::bench
