// Drill: a steady load while something breaks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "bench/drill/breakage.hpp"
#include "bench/report/report.hpp"

namespace scrollgate::bench {

/// Strikes and mends at its moments, on a thread of its own, while a load runs.
class Drill {
  public:
    /// Strikes `at` after start(), mends `length` later (no_limit: at the end).
    Drill(std::unique_ptr<Breakage> breakage, Duration at, Duration length);
    /// Mends.
    ~Drill();

    void start();
    /// Ends the thread and mends what is still broken. What has not happened by now will not.
    void finish();
    /// After finish(): what `report` shows of it. Nothing if it was not struck;
    /// trouble() says why, if it could not be.
    [[nodiscard]] std::optional<DrillResult> result(const Report& report) const;
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    /// What it does, for people, while it runs: "kill 4711 in 2s". Any thread.
    [[nodiscard]] std::string note();

  private:
    void work();
    /// False when finish() came first.
    [[nodiscard]] bool sleep_until(TimePoint when);

    const std::unique_ptr<Breakage> breakage_;
    const Duration at_, length_;
    TimePoint start_{};
    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool finished_ = false;
    std::optional<TimePoint> struck_, mended_;  ///< under mutex_ while the thread runs
    std::uint64_t in_flight_ = 0;               ///< likewise
    std::string trouble_;                       ///< likewise
};

/// Judges what was counted, `names` being the methods: failures and longest latencies, and the time
/// until the last failure or unusual latency was over. Unusual: beyond the longest of that method
/// before it broke by as much again, at least by 10 ms.
[[nodiscard]] DrillResult judge_drill(const BeforeAfter& counted,
                                      const std::vector<std::string>& names);

}  // namespace scrollgate::bench
